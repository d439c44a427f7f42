#include "challenges.h"

#include "certificates.h"
#include "hook.h"
#include "seawall/log/log.h"
#include "seawall/tls/alpn_challenges.h"
#include "seawall/tls/error.h"

namespace seawall::acme {
namespace {

constexpr const char* kRecord = "_acme-challenge.";
constexpr std::chrono::seconds kLastWords{10};  // for a hook that is to remove a record when the server ends

void prove_by_tls(const std::string& name, const std::string& key_authorization) {
  const Pair proof = make_alpn_proof(name, key_authorization);
  try {
    AlpnChallenges::all().add(name, proof.certificate, proof.key);
  } catch (const TlsError& error) {
    throw AcmeError(error.what());
  }
}

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

Prepared::Prepared(const Issuer& issuer, Tokens& tokens, Challenge kind, std::string name, std::string token,
                   const std::string& key_authorization, Stop& stop)
    : issuer_(issuer), tokens_(tokens), stop_(stop), kind_(kind), name_(std::move(name)), token_(std::move(token)) {
  if (kind_ == Challenge::http_01) tokens_.add(token_, key_authorization);
  if (kind_ == Challenge::tls_alpn_01) prove_by_tls(name_, key_authorization);
  if (kind_ == Challenge::dns_01) add_record(base64url(sha256(key_authorization)));
}

Prepared::~Prepared() {
  if (kind_ == Challenge::http_01) tokens_.remove(token_);
  if (kind_ == Challenge::tls_alpn_01) AlpnChallenges::all().remove(name_);
  if (kind_ == Challenge::dns_01) clear_record();
}

// Who knows how far a hook has come that has failed or was stopped.
void Prepared::add_record(std::string value) {
  record_ = std::move(value);
  try {
    run_hook(issuer_.hook, "add", kRecord + name_, record_, stop_);
    if (issuer_.dns_delay.count() > 0) stop_.sleep(issuer_.dns_delay);
  } catch (...) {
    clear_record();
    throw;
  }
}

// Also when the server ends, which waits for it a little.
void Prepared::clear_record() {
  try {
    run_hook(issuer_.hook, "remove", kRecord + name_, record_, stop_, kLastWords);
  } catch (const std::exception& error) {
    log(Level::warn, std::string("acme: the record of \"") + name_ + "\" stays in the DNS: " + error.what());
  }
}

}  // namespace seawall::acme
