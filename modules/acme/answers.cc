#include "answers.h"

#include <set>
#include <utility>

#include "certificate.h"
#include "registry.h"
#include "seawall/log/log.h"
#include "seawall/tls/alpn_challenges.h"

namespace seawall::acme {
namespace {

constexpr std::string_view kAnswer = ".http-01", kProof = ".tls-alpn-01";

// Tokens and names are the CA's and clients' words: no file is called after them.
std::string file_of(std::string_view word, std::string_view kind) { return base64url(sha256(word)).append(kind); }

std::vector<std::shared_ptr<Store>> stores_of(const Registry& registry) {
  std::set<std::shared_ptr<Store>> all;
  for (const auto& certificate : registry.certificates) all.insert(certificate->issuer->store);
  return {all.begin(), all.end()};
}

// Nobody is refused for a store that cannot be read: the answer may be somebody else's.
template <class Read>
auto first_of(const std::vector<std::shared_ptr<Store>>& stores, const Read& read) -> decltype(read(*stores.front())) {
  for (const auto& store : stores) {
    try {
      if (auto found = read(*store)) return found;
    } catch (const AcmeError& error) {
      log(Level::info, std::string("acme: whether another process has an answer is not known: ") + error.what());
    }
  }
  return std::nullopt;
}

}  // namespace

void write_answer(Store& store, std::string_view token, const std::string& answer) { store.write(file_of(token, kAnswer), answer); }
std::optional<std::string> read_answer(const Store& store, std::string_view token) { return store.read(file_of(token, kAnswer)); }
void remove_answer(Store& store, std::string_view token) { store.remove(file_of(token, kAnswer)); }

void write_proof(Store& store, std::string_view name, const Pair& proof) { store.write(file_of(name, kProof), joined(proof)); }
std::optional<Pair> read_proof(const Store& store, std::string_view name) {
  const auto text = store.read(file_of(name, kProof));
  return text ? parted(*text) : std::nullopt;
}
void remove_proof(Store& store, std::string_view name) { store.remove(file_of(name, kProof)); }

void remove_answers(Store& store) {
  for (const std::string& name : store.names())
    if (name.ends_with(kAnswer) || name.ends_with(kProof)) store.remove(name);
}

std::optional<std::string> answer_to(const Registry& registry, std::string_view token) {
  if (auto own = registry.tokens.find(token)) return own;
  return first_of(stores_of(registry), [&](const Store& store) { return read_answer(store, token); });
}

void show_proofs_of_others(const Registry& registry) {
  std::set<std::string, std::less<>> names;
  for (const auto& certificate : registry.certificates) names.insert(certificate->names.begin(), certificate->names.end());
  AlpnChallenges::all().ask_too([stores = stores_of(registry), names = std::move(names)](std::string_view name) -> std::optional<Pair> {
    if (names.count(name) == 0) return std::nullopt;
    return first_of(stores, [&](const Store& store) { return read_proof(store, name); });
  });
}

void forget_others() { AlpnChallenges::all().ask_too({}); }

}  // namespace seawall::acme
