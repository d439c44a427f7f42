#include "client.h"

#include <algorithm>

#include "seawall/log/log.h"
#include "seawall/tls/pem.h"

namespace seawall::acme {
namespace {

constexpr int kNonces = 5;  // a CA may refuse some for no reason of ours
constexpr const char* kAccountKey = "account.key";
constexpr const char* kAccount = "account.json";
constexpr std::size_t kLongestUrl = 2000, kLongestNonce = 1000;

std::string protect(const Json& head) {
  return base64url(head.dump());
}

std::string jws(const std::string& head, const std::string& payload, const std::string& signature) {
  return Json{{"protected", head}, {"payload", payload}, {"signature", base64url(signature)}}.dump();
}

// The CA's own words, with what it says of each name.
std::string described(const Json& problem, long status) {
  std::string text = text_in(problem, "detail");
  for (const Json& one : member_of(problem, "subproblems"))
    text += (text.empty() ? "" : "; ") + text_in(member_of(one, "identifier"), "value") + ": " + text_in(one, "detail");
  return text.empty() ? "HTTP status " + std::to_string(status) : text;
}

std::string type_in(const Json& problem) {
  constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
  const std::string type = text_in(problem, "type");
  return type.starts_with(prefix) ? type.substr(prefix.size()) : type;
}

}  // namespace

// What the CA names is as safe as what the operator has named (RFC 8555 6.1: over TLS), or nothing is sent there.
const std::string& Client::checked(const std::string& url) const {
  const bool known = url.starts_with("https://") || (url.starts_with("http://") && issuer_.uri.starts_with("http://"));
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!known || !plain || url.size() > kLongestUrl)
    throw AcmeError("the CA \"" + issuer_.name + "\" names the address \"" + url.substr(0, 100) + "\", which is not used");
  return url;
}

const Json& Client::directory() {
  if (directory_.is_null()) {
    Answer answer = get(issuer_.uri);
    if (text_in(answer.json, "newNonce").empty() || text_in(answer.json, "newOrder").empty())
      throw AcmeError("what " + issuer_.uri + " says is no directory of an ACME server");
    directory_ = std::move(answer.json);
  }
  return directory_;
}

Client::Answer Client::get(const std::string& url) {
  return answer_of(http_.get(checked(url)));
}

// An error of the CA is thrown; what is left has done what was asked.
Client::Answer Client::answer_of(HttpAnswer http) {
  Answer answer;
  answer.retry_after = http.retry_after(issuer_.now());
  answer.json = parse_json(http.body);
  if (const std::string nonce = http.field("replay-nonce"); is_base64url(nonce, kLongestNonce)) nonce_ = nonce;
  if (http.status < 200 || http.status > 299)
    throw AcmeError(described(answer.json, http.status), type_in(answer.json), answer.retry_after, http.status);
  answer.http = std::move(http);
  return answer;
}

std::string Client::take_nonce() {
  if (nonce_.empty()) answer_of(http_.head(checked(resource("newNonce"))));
  if (nonce_.empty()) throw AcmeError("the CA has given no nonce");
  return std::exchange(nonce_, {});
}

// With the account's URL, or, where there is none yet, the key itself (RFC 8555 6.2).
std::string Client::body_for(EVP_PKEY* key, const std::string& url, const std::string& payload) {
  Json head{{"alg", algorithm_of(key)}, {"nonce", take_nonce()}, {"url", url}};
  if (account_.empty() || key != key_.get())
    head["jwk"] = parse_json(jwk_of(key));
  else
    head["kid"] = account_;
  const std::string protected_head = protect(head), body = base64url(payload);
  return jws(protected_head, body, sign(key, protected_head + "." + body));
}

Client::Answer Client::send(EVP_PKEY* key, const std::string& url, const std::string& payload, const std::string& accept) {
  for (int left = kNonces;; --left) {
    try {
      return answer_of(http_.post(checked(url), body_for(key, url, payload), accept));
    } catch (const AcmeError& error) {
      if (error.type != "badNonce" || left == 1) throw;
    }
  }
}

Client::Answer Client::post_text(const std::string& url, const std::string& payload, const std::string& accept) {
  return send(key_.get(), url, payload, accept);
}

Client::Answer Client::post_with(EVP_PKEY* key, const std::string& url, const Json& payload) {
  return send(key, url, payload.dump(), {});
}

bool Client::load_key() {
  const bool own = issuer_.account_key.starts_with('/');  // the operator's file, read at the start
  const auto pem = own ? issuer_.account_key_text : issuer_.store->read(kAccountKey);
  if (pem) key_ = key_from(*pem);
  return pem.has_value();
}

// Written before anybody hears of it: an account whose key is lost is lost.
void Client::make_account_key() {
  key_ = make_key(issuer_.account_key.empty() ? KeyType() : KeyType::parse(issuer_.account_key));
  issuer_.store->write(kAccountKey, pem_of(key_.get()));
}

bool Client::has_known_account() {
  const auto text = issuer_.store->read(kAccount);
  const Json known = text ? parse_json(*text) : Json();
  if (text_in(known, "directory") != issuer_.uri || text_in(known, "key") != thumbprint_of(key_.get())) return false;
  account_ = text_in(known, "url");
  return !account_.empty();
}

// An account of the CA's own customers (RFC 8555 7.3.4).
std::string Client::binding() {
  const std::string head = protect(Json{{"alg", "HS256"}, {"kid", issuer_.eab_kid}, {"url", resource("newAccount")}});
  const std::string payload = base64url(jwk_of(key_.get()));
  return jws(head, payload, hmac_sha256(issuer_.eab_key, head + "." + payload));
}

// A key that the CA knows already gets the account that it has.
void Client::register_account() {
  const Json& meta = member_of(directory(), "meta");
  if (!text_in(meta, "termsOfService").empty() && !issuer_.accepts_terms)
    throw AcmeError("the CA's terms of service (" + text_in(meta, "termsOfService") +
                    ") have not been accepted, say \"accept_terms_of_service\"");
  if (flag_in(meta, "externalAccountRequired") && issuer_.eab_kid.empty())
    throw AcmeError("the CA wants to know whose account it is, say \"external_account_key\"");
  Json account{{"termsOfServiceAgreed", issuer_.accepts_terms}};
  if (!issuer_.contacts.empty()) account["contact"] = issuer_.contacts;
  if (!issuer_.eab_kid.empty()) account["externalAccountBinding"] = parse_json(binding());
  const Answer answer = post(resource("newAccount"), account);
  const std::string url = answer.http.field("location");
  if (url.empty()) throw AcmeError("the CA has not said where the new account is");
  checked(url);
  issuer_.store->write(kAccount,
                       Json{{"url", url}, {"directory", issuer_.uri}, {"key", thumbprint_of(key_.get())}}.dump(1) + "\n");
  account_ = url;
  log(Level::notice, "acme: the account " + url + " of issuer \"" + issuer_.name + "\" is in use");
}

void Client::use_account() {
  const std::lock_guard one(*issuer_.account_mutex);
  if (!load_key()) {
    // Of a CA that helps out the folder is another's business as a rule; two processes must not make two keys there.
    const auto lock = issuer_.store->try_lock();
    if (!lock) throw AcmeError("another process keeps \"" + issuer_.state_path + "\", and has no account yet");
    if (!load_key()) make_account_key();
  }
  if (!has_known_account()) return register_account();
  try {
    fetch(account_);
  } catch (const AcmeError& error) {
    if (error.type != "accountDoesNotExist" && error.type != "malformed") throw;
    account_.clear();  // the CA has forgotten it
    register_account();
  }
}

bool Client::use_known_account() {
  return load_key() && has_known_account();
}

}  // namespace seawall::acme
