#include "order.h"

#include <algorithm>

namespace seawall::acme {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::hours kLongestOrder{1};
constexpr int kMostFailures = 4;  // in a row, until an order that the CA does not show is given up
constexpr milliseconds kFirstLook{250}, kLongestLook{10'000};

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
