#include "order.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall::acme {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// For a CA to look at our names, or to issue: longer than any takes, short enough that nobody waits for ever.
constexpr std::chrono::minutes kPatience{10};
constexpr std::chrono::hours kLongestOrder{1};
constexpr std::size_t kLongestToken = 256, kMostProofs = 200;
constexpr int kMostFailures = 4;  // in a row, until an order that the CA does not show is given up
constexpr milliseconds kFirstLook{250}, kLongestLook{10'000};

Challenge challenge_of(const std::string& type) {
  for (const Challenge one : {Challenge::http_01, Challenge::tls_alpn_01, Challenge::dns_01})
    if (type == name_of(one)) return one;
  return Challenge::chosen_for_me;
}

std::string complaint_in(const Json& holder, const std::string& otherwise) {
  const std::string detail = text_in(member_of(holder, "error"), "detail");
  return detail.empty() ? otherwise : detail;
}

std::string type_of_error(const Json& holder) {
  const std::string type = text_in(member_of(holder, "error"), "type");
  const auto colon = type.rfind(':');
  return colon == std::string::npos ? type : type.substr(colon + 1);
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

// Of the Link fields, those with rel="alternate".
std::vector<std::string> alternates_of(const HttpAnswer& answer) {
  constexpr std::size_t kMost = 10;
  std::vector<std::string> urls;
  for (const auto& [name, value] : answer.fields) {
    if (urls.size() == kMost || name != "link" || value.find("rel=\"alternate\"") == std::string::npos) continue;
    const auto begin = value.find('<'), end = value.find('>');
    if (begin != std::string::npos && end != std::string::npos && begin < end)
      urls.push_back(value.substr(begin + 1, end - begin - 1));
  }
  return urls;
}

}  // namespace

Order::Order(const Certificate& certificate, const Issuer& issuer, Tokens& tokens, Status& status, Stop& stop)
    : certificate_(certificate),
      issuer_(issuer),
      tokens_(tokens),
      status_(status),
      stop_(stop),
      until_(steady_clock::now() + kLongestOrder + certificate.names.size() * issuer.dns_delay),
      client_(issuer, stop) {}

void Order::save_status() {
  certificate_.store().write(certificate_.status_file(), status_.text());
}

// The CA's own word on when to look again, within reason; else later and later.
void Order::pause(const Client::Answer& answer, int turn) {
  if (steady_clock::now() > until_) throw AcmeError("the order takes too long");
  milliseconds time = std::min<milliseconds>(kFirstLook * (1 << std::min(turn, 6)), kLongestLook);
  if (answer.retry_after)
    time = std::clamp<milliseconds>(std::chrono::seconds(*answer.retry_after), kFirstLook, std::chrono::minutes(5));
  stop_.sleep(time);
}

void Order::keep(const Json& order, const std::string& url) {
  order_ = order;
  if (status_.order == url && status_.order_issuer == issuer_.name) return;
  status_.order = url;
  status_.order_issuer = issuer_.name;
  save_status();
}

// A new key for each certificate; on the disk before the CA gets to know it.
void Order::make_key() {
  key_ = acme::make_key(certificate_.key_type);
  certificate_.store().write(certificate_.key_file(), pem_of(key_.get()));
}

bool Order::resume() {
  const auto pem = certificate_.store().read(certificate_.key_file());
  if (status_.order.empty() || status_.order_issuer != issuer_.name || !pem) return false;
  try {
    key_ = key_from(*pem);
  } catch (const AcmeError&) {
    return false;  // the order is of no use without it
  }
  try {
    order_ = client_.fetch(status_.order).json;
  } catch (const AcmeError& error) {
    // It may be valid by now, and its certificate counts against the CA's limits: only one that is gone, or that the CA has not shown
    // for many tries, is given up.
    const bool gone = error.status == 404 || error.status == 410 || error.status == 403 || error.type == "malformed";
    if (!gone && (error.retry_after || status_.failures <= kMostFailures)) throw;
    return false;
  }
  const std::string state = text_in(order_, "status");
  return state == "pending" || state == "ready" || state == "processing" || state == "valid";
}

// The renewal id of the certificate that is there, for a CA that may hear of it: who has issued it to this account (RFC 9773 5).
std::string Order::replaced() {
  if (client_.resource("renewalInfo").empty()) return {};
  if (status_.issued_by != issuer_.name || status_.issued_to != client_.account()) return {};
  const auto pair = stored_pair(certificate_);
  try {
    return pair ? CertificateFacts::of(pair->certificate).renewal_id : std::string();
  } catch (const AcmeError&) {
    return {};  // it cannot be read, so nothing is replaced
  }
}

// Once more without the word of what it replaces, where the CA may have refused it for that.
Client::Answer Order::ask(Json wanted) {
  const std::string url = client_.resource("newOrder");
  try {
    return client_.post(url, wanted);
  } catch (const AcmeError& error) {
    if (!wanted.contains("replaces") || error.type.empty() || error.type == "rateLimited") throw;
    wanted.erase("replaces");
    return client_.post(url, wanted);
  }
}

void Order::begin() {
  if (!status_.order.empty()) {  // its key goes first
    status_.order.clear();
    save_status();
  }
  make_key();
  Json identifiers = Json::array();
  for (const std::string& name : certificate_.names) identifiers.push_back(Json{{"type", "dns"}, {"value", name}});
  Json wanted{{"identifiers", identifiers}};
  if (!issuer_.profile.empty()) {
    if (member_of(member_of(client_.directory(), "meta"), "profiles").contains(issuer_.profile))
      wanted["profile"] = issuer_.profile;
    else if (issuer_.profile_required)
      throw AcmeError("the CA has no profile \"" + issuer_.profile + "\"");
  }
  if (const std::string id = replaced(); !id.empty()) wanted["replaces"] = id;
  const Client::Answer answer = ask(wanted);
  const std::string url = answer.http.field("location");
  if (url.empty()) throw AcmeError("the CA has not said where the order is");
  keep(answer.json, url);
}

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
  const auto until = steady_clock::now() + kPatience;
  for (int turn = 0; steady_clock::now() < until; ++turn) {
    const Client::Answer answer = client_.fetch(url);
    const std::string state = text_in(answer.json, "status");
    if (state == "valid") return;
    if (state != "pending") fail_proof(answer.json, name);
    pause(answer, turn);
  }
  throw AcmeError("the CA has not looked at \"" + name + "\" within ten minutes");
}

Json Order::await_order(const char* wanted) {
  const auto until = steady_clock::now() + kPatience;
  for (int turn = 0; steady_clock::now() < until; ++turn) {
    const Client::Answer answer = client_.fetch(status_.order);
    const std::string state = text_in(answer.json, "status");
    if (state == wanted || state == "valid") return answer.json;
    if (state == "invalid")
      throw AcmeError("the CA has refused the order: " + complaint_in(answer.json, "it does not say why"),
                      type_of_error(answer.json));
    pause(answer, turn);
  }
  throw AcmeError("the CA's order is not \"" + std::string(wanted) + "\" after ten minutes");
}

// The chain that ends below the preferred root, where there is one.
std::string Order::download(const Json& order) {
  constexpr const char* kType = "application/pem-certificate-chain";
  const std::string url = text_in(order, "certificate");
  if (url.empty()) throw AcmeError("the CA has not said where the certificate is");
  const Client::Answer first = client_.fetch(url, kType);
  if (issuer_.preferred_chain.empty() || root_of(first.http.body) == issuer_.preferred_chain) return first.http.body;
  for (const std::string& other : alternates_of(first.http)) {
    const Client::Answer answer = client_.fetch(other, kType);
    if (root_of(answer.http.body) == issuer_.preferred_chain) return answer.http.body;
  }
  return first.http.body;
}

Pair Order::obtain() {
  client_.use_account();
  if (!resume()) begin();
  if (text_in(order_, "status") == "pending") {
    prove();
    order_ = await_order("ready");
  }
  if (text_in(order_, "status") == "ready")
    client_.post(text_in(order_, "finalize"), Json{{"csr", base64url(make_request(key_.get(), certificate_.names))}});
  if (text_in(order_, "status") != "valid") order_ = await_order("valid");
  Pair pair;
  pair.certificate = download(order_);
  pair.key = pem_of(key_.get());
  try {
    check_chain(pair.certificate, key_.get(), certificate_.names, issuer_.now());
    pair.certificate = rewritten_chain(pair.certificate);
    check_for_tls(pair);
  } catch (const AcmeError&) {
    status_.order.clear();  // this one will never be better
    throw;
  }
  return pair;
}

}  // namespace seawall::acme
