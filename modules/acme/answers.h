// Answers: what CAs look for at our names while they look, in the store as well, so that whoever serves a name with the same store
// can show it: the new binary beside the old one, the worker before this one, another server. Any thread. Errors: AcmeError.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificates.h"
#include "store.h"

namespace seawall::acme {

class Registry;

// Of http-01, by its token.
void write_answer(Store& store, std::string_view token, const std::string& answer);
std::optional<std::string> read_answer(const Store& store, std::string_view token);
void remove_answer(Store& store, std::string_view token);

// Of tls-alpn-01, by the name that it proves.
void write_proof(Store& store, std::string_view name, const Pair& proof);
std::optional<Pair> read_proof(const Store& store, std::string_view name);
void remove_proof(Store& store, std::string_view name);

// What a process that died has left; for who has the store's lock and shows nothing yet.
void remove_answers(Store& store);

// The answer to whoever asks for this token: our own, or another process's.
std::optional<std::string> answer_to(const Registry& registry, std::string_view token);
// From now on handshakes find the proofs of other processes, too, for the names of these certificates; until the process ends, or
// forget_others().
void show_proofs_of_others(const Registry& registry);
void forget_others();

}  // namespace seawall::acme
