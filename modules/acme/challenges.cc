#include "challenges.h"

#include "answers.h"
#include "certificates.h"
#include "hook.h"
#include "seawall/log/log.h"
#include "seawall/tls/alpn_challenges.h"
#include "seawall/tls/error.h"

namespace seawall::acme {
namespace {

constexpr const char* kRecord = "_acme-challenge.";
constexpr std::chrono::seconds kLastWords{10};  // for a hook that is to remove a record when the server ends

}  // namespace

const char* name_of(Challenge challenge) {
  switch (challenge) {
    case Challenge::http_01: return "http-01";
    case Challenge::tls_alpn_01: return "tls-alpn-01";
    case Challenge::dns_01: return "dns-01";
    case Challenge::chosen_for_me: return "auto";
  }
  return "";
}

void Tokens::add(const std::string& token, const std::string& answer) {
  const std::lock_guard lock(mutex_);
  answers_[token] = answer;
}

void Tokens::remove(const std::string& token) {
  const std::lock_guard lock(mutex_);
  answers_.erase(token);
}

std::optional<std::string> Tokens::find(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(token);
  if (found == answers_.end()) return std::nullopt;
  return found->second;
}

Prepared::Prepared(const Issuer& issuer, Store& store, Tokens& tokens, std::string name, std::string token,
                   const std::string& key_authorization, Stop& stop)
    : issuer_(issuer), store_(store), tokens_(tokens), stop_(stop), name_(std::move(name)), token_(std::move(token)) {
  try {
    show(key_authorization);
  } catch (...) {
    hide();  // nobody knows how far it has come
    throw;
  }
}

Prepared::~Prepared() { hide(); }

void Prepared::show(const std::string& key_authorization) {
  switch (issuer_.challenge) {
    case Challenge::http_01: return show_token(key_authorization);
    case Challenge::tls_alpn_01: return show_certificate(key_authorization);
    case Challenge::dns_01: return add_record(key_authorization);
    case Challenge::chosen_for_me: return;  // chosen when the configuration was read
  }
}

// Each part on its own: what cannot be taken back is said.
template <class Act>
void Prepared::take_back(const char* what, const char* where, const Act& act) {
  try {
    act();
  } catch (const std::exception& error) {
    log(Level::warn, std::string("acme: the ") + what + " of \"" + name_ + "\" stays in the " + where + ": " + error.what());
  }
}

// Also when the server ends, which waits for it a little.
void Prepared::hide() {
  switch (issuer_.challenge) {
    case Challenge::http_01:
      tokens_.remove(token_);
      return take_back("answer", "store", [&] { remove_answer(store_, token_); });
    case Challenge::tls_alpn_01:
      AlpnChallenges::all().remove(name_);
      return take_back("proof", "store", [&] { remove_proof(store_, name_); });
    case Challenge::dns_01:
      return take_back("record", "DNS", [&] { run_hook(issuer_.hook, "remove", kRecord + name_, record_, stop_, kLastWords); });
    case Challenge::chosen_for_me: return;
  }
}

void Prepared::show_token(const std::string& key_authorization) {
  tokens_.add(token_, key_authorization);
  write_answer(store_, token_, key_authorization);
}

void Prepared::show_certificate(const std::string& key_authorization) {
  const Pair proof = make_alpn_proof(name_, key_authorization);
  try {
    AlpnChallenges::all().add(name_, proof.certificate, proof.key);
  } catch (const TlsError& error) {
    throw AcmeError(error.what());
  }
  write_proof(store_, name_, proof);
}

void Prepared::add_record(const std::string& key_authorization) {
  record_ = base64url(sha256(key_authorization));
  run_hook(issuer_.hook, "add", kRecord + name_, record_, stop_);
  if (issuer_.dns_delay.count() > 0) stop_.sleep(issuer_.dns_delay);
}

}  // namespace seawall::acme
