// The part of an order that shows the CA that our names are ours.
#include <algorithm>

#include "order.h"
#include "seawall/base/text.h"

namespace seawall::acme {
namespace {

constexpr std::size_t kLongestToken = 256, kMostProofs = 200;

Challenge challenge_of(const std::string& type) {
  for (const Challenge one : {Challenge::http_01, Challenge::tls_alpn_01, Challenge::dns_01})
    if (type == name_of(one)) return one;
  return Challenge::chosen_for_me;
}

// What the CA has found wrong with a name.
[[noreturn]] void fail_proof(const Json& authorization, const std::string& name) {
  for (const Json& challenge : member_of(authorization, "challenges"))
    if (member_of(challenge, "error").is_object())
      throw AcmeError("the CA could not verify \"" + name + "\" by " + text_in(challenge, "type") + ": " +
                          complaint_in(challenge, "it does not say why"),
                      type_of_error(challenge));
  throw AcmeError("the CA could not verify \"" + name + "\"");
}

const Json* find_challenge(const Json& authorization, Challenge kind) {
  for (const Json& one : member_of(authorization, "challenges"))
    if (challenge_of(text_in(one, "type")) == kind) return &one;
  return nullptr;
}

}  // namespace

void Order::prove() {
  const Json& all = member_of(order_, "authorizations");
  if (!all.is_array() || all.size() > kMostProofs) throw AcmeError("the CA wants no proofs, or far too many");
  for (const Json& url : all)
    if (url.is_string()) prove_one(url.get<std::string>());
}

// Which of our names the CA wants to be shown: no other word goes to hooks and logs.
std::string Order::name_in(const Json& authorization) const {
  const std::string value = text_in(member_of(authorization, "identifier"), "value");
  const auto wanted = [&](const std::string& name) {
    return std::binary_search(certificate_.names.begin(), certificate_.names.end(), name);
  };
  const std::string name = lower(value), wildcard = "*." + name;
  if (flag_in(authorization, "wildcard") && wanted(wildcard)) return wildcard;
  if (wanted(name)) return name;
  if (wanted(wildcard)) return wildcard;
  throw AcmeError("the CA wants a proof for \"" + value + "\", which nobody has asked for");
}

void Order::prove_one(const std::string& url) {
  const Json authorization = client_.fetch(url).json;
  const std::string name = name_in(authorization);
  const std::string state = text_in(authorization, "status");
  if (state == "valid") return;
  if (state != "pending") fail_proof(authorization, name);
  const Json* const challenge = find_challenge(authorization, issuer_.challenge);
  if (!challenge)
    throw AcmeError("the CA does not offer " + std::string(name_of(issuer_.challenge)) + " for \"" + name + "\"");
  const std::string token = text_in(*challenge, "token");
  if (!is_base64url(token, kLongestToken)) throw AcmeError("the CA's token for \"" + name + "\" is not base64url");
  const std::string host = name.starts_with("*.") ? name.substr(2) : name;
  const Prepared prepared(issuer_, certificate_.store(), tokens_, host, token, client_.key_authorization(token), stop_);
  if (text_in(*challenge, "status") == "pending") client_.post(text_in(*challenge, "url"), Json::object());
  await_proof(url, name);
}

void Order::await_proof(const std::string& url, const std::string& name) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (int turn = 0; std::chrono::steady_clock::now() < until; ++turn) {
    const Client::Answer answer = client_.fetch(url);
    const std::string state = text_in(answer.json, "status");
    if (state == "valid") return;
    if (state != "pending") fail_proof(answer.json, name);
    pause(answer, turn);
  }
  throw AcmeError("the CA has not looked at \"" + name + "\" within ten minutes");
}

}  // namespace seawall::acme
