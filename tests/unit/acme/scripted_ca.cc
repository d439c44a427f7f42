#include "scripted_ca.h"

#include <netinet/in.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "attempt.h"
#include "catch.h"
#include "seawall/base/text.h"

using namespace seawall;
using namespace seawall::acme;

namespace test {
namespace {

template <class T, auto release>
using Owned = std::unique_ptr<T, OpensslFree<release>>;
using RequestPtr = Owned<X509_REQ, X509_REQ_free>;

// A head, and a body of the length that it says.
std::string read_request(int fd) {
  std::string text;
  char part[4096];
  for (;;) {
    const auto end = text.find("\r\n\r\n");
    const auto field = lower(text.substr(0, end)).find("content-length: ");
    const std::size_t size = field == std::string::npos ? 0 : std::strtoul(text.c_str() + field + 16, nullptr, 10);
    if (end != std::string::npos && text.size() >= end + 4 + size) return text;
    const ssize_t n = ::read(fd, part, sizeof part);
    if (n <= 0) return {};
    text.append(part, static_cast<std::size_t>(n));
  }
}

Json payload_in(const std::string& body) {
  const std::string text = text_in(parse_json(body), "payload");
  return text.empty() ? Json() : parse_json(from_base64url(text));
}

Pair own_pair(const KeyPtr& key) {
  return make_self_signed(key.get(), {"authority.test"});
}

void add_authority_key(X509* x) {
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> id(AUTHORITY_KEYID_new());
  id->keyid = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(id->keyid, reinterpret_cast<const unsigned char*>("authority"), 9);
  X509_add1_ext_i2d(x, NID_authority_key_identifier, id.get(), 0, 0);
}

}  // namespace

std::string problem(const std::string& type, const std::string& detail) {
  return Json{{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}}.dump();
}

ScriptedCa::ScriptedCa(std::shared_ptr<const TestClock> clock)
    : clock_(std::move(clock)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      key_(make_key(KeyType())),
      foreign_key_(make_key(KeyType())),
      own_(own_pair(key_)),
      foreign_(own_pair(foreign_key_)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener_.get(), 50) == 0);
  REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedCa::~ScriptedCa() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void ScriptedCa::say_at(const std::string& path, std::optional<Said> said) {
  const std::lock_guard lock(mutex_);
  if (said)
    said_[path] = *said;
  else
    said_.erase(path);
}

int ScriptedCa::count(const std::string& path) const {
  return static_cast<int>(payloads(path).size());
}

std::vector<Json> ScriptedCa::payloads(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<Json> all;
  for (const Asked& one : asked_)
    if (one.path.starts_with(path)) all.push_back(one.payload);
  return all;
}

void ScriptedCa::serve() {
  for (;;) {
    pollfd waits[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents) return;
    play(Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
}

void ScriptedCa::play(Fd client) {
  const timeval patience{5, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::string request = read_request(client.get());
  if (request.empty()) return;
  const auto begin = request.find(' ') + 1, end = request.find(' ', begin);
  const Said said = answer(request.substr(begin, end - begin), payload_in(request.substr(request.find("\r\n\r\n") + 4)));
  if (said.status == 0) return;  // it hangs up
  std::string text = "HTTP/1.1 " + std::to_string(said.status) + " x\r\nConnection: close\r\nContent-Length: " + std::to_string(said.body.size()) + "\r\n";
  if (!request.starts_with("GET ")) text += "Replay-Nonce: bm9uY2U\r\n";
  for (const std::string& field : said.fields) text += field + "\r\n";
  text += "\r\n" + (request.starts_with("HEAD") ? "" : said.body);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::send(client.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

Said ScriptedCa::answer(const std::string& path, const Json& payload) {
  const std::lock_guard lock(mutex_);
  asked_.push_back({path, payload});
  for (const auto& [where, said] : said_)
    if (path.starts_with(where)) return said;
  return own_answer(path, payload);
}

Said ScriptedCa::own_answer(const std::string& path, const Json& payload) {
  const std::string number = path.substr(path.rfind('/') + 1);
  if (path == "/dir") {
    Json all{{"newNonce", url("/nonce")}, {"newAccount", url("/account")}, {"newOrder", url("/order")}, {"revokeCert", url("/revoke")}};
    all.update(directory);
    return {200, all.dump()};
  }
  if (path == "/account") return {201, "{}", {"Location: " + url("/account/1")}};
  if (path == "/order") {
    if (!refuse_replaces.empty() && payload.contains("replaces")) return {409, problem(refuse_replaces, "it is replaced"), {}};
    const std::string next = std::to_string(orders_.size() + 1);
    orders_[next] = Json{{"identifiers", payload["identifiers"]}, {"proved", 0}};
    return order_of(next, 201);
  }
  if (path.starts_with("/order/")) return order_of(number, 200);
  if (path.starts_with("/authorization/")) return authorization_of(number);
  if (path.starts_with("/challenge/")) {
    const auto found = tokens ? tokens->find(token) : std::optional<std::string>();
    if (!tokens || (found && found->starts_with(token + "."))) orders_[number.substr(0, number.find('-'))]["proved"] = 1;
    return {200, "{}"};
  }
  if (path.starts_with("/finalize/")) {
    finalize(number, from_base64url(text_in(payload, "csr")));
    return order_of(number, 200);
  }
  if (path.starts_with("/certificate/")) return {200, text_in(orders_[number], "certificate")};
  return {200, "{}"};
}

// Whoever has proved one name of it has proved all of them.
Said ScriptedCa::order_of(const std::string& number, int status) {
  const Json& known = orders_[number];
  const bool proved = known["proved"] == 1, issued = known.contains("certificate");
  Json all{{"status", issued ? "valid" : proved ? "ready" : "pending"}, {"identifiers", known["identifiers"]}};
  all["authorizations"] = Json::array({url("/authorization/" + number)});
  all["finalize"] = url("/finalize/" + number);
  if (issued) all["certificate"] = url("/certificate/" + number);
  all.update(order);
  return {status, all.dump(), {"Location: " + url("/order/" + number)}};
}

Said ScriptedCa::authorization_of(const std::string& number) {
  const Json& known = orders_[number];
  Json all{{"status", known["proved"] == 1 ? "valid" : "pending"}, {"identifier", known["identifiers"][0]}};
  Json challenges = Json::array();
  for (const char* type : {"http-01", "dns-01"})
    challenges.push_back(Json{{"type", type}, {"url", url("/challenge/" + number)}, {"token", token}, {"status", "pending"}});
  all["challenges"] = challenges;
  all.update(authorization);
  return {200, all.dump()};
}

void ScriptedCa::finalize(const std::string& number, const std::string& csr) {
  orders_[number]["certificate"] = issue(csr) + (foreign_chain ? foreign_ : own_).certificate;
}

std::string ScriptedCa::issue(const std::string& csr) const {
  const auto* from = reinterpret_cast<const unsigned char*>(csr.data());
  const RequestPtr request(d2i_X509_REQ(nullptr, &from, static_cast<long>(csr.size())));
  const X509Ptr x(X509_new());
  const CertificateChain authority = parse_certificate(own_.certificate);
  if (!request) return {};
  static std::atomic<long> serial{1};
  X509_set_version(x.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), serial++);
  ASN1_TIME_set(X509_getm_notBefore(x.get()), clock_->now());
  ASN1_TIME_set(X509_getm_notAfter(x.get()), clock_->now() + life);
  X509_set_issuer_name(x.get(), X509_get_subject_name(authority.leaf.get()));
  X509_set_pubkey(x.get(), X509_REQ_get0_pubkey(request.get()));
  auto* const extensions = X509_REQ_get_extensions(request.get());
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) X509_add_ext(x.get(), sk_X509_EXTENSION_value(extensions, i), -1);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  add_authority_key(x.get());
  X509_sign(x.get(), key_.get(), EVP_sha256());
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), x.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Site::Site(const ScriptedCa& ca, const std::shared_ptr<TestClock>& clock, std::vector<std::string> names) : clock_(clock) {
  char made[] = "/tmp/acme-XXXXXX";
  folder = ::mkdtemp(made);
  set(issuer, ca, "first");
  std::sort(names.begin(), names.end());
  certificate.names = std::move(names);
  certificate.id = id_of(certificate.names, certificate.key_type);
  certificate.issuer = &issuer;
}

Site::~Site() { std::filesystem::remove_all(folder); }

void Site::set(Issuer& one, const ScriptedCa& ca, const std::string& name) const {
  one.name = name;
  one.uri = ca.url("/dir");
  one.http.may_be_plain = true;
  one.challenge = Challenge::http_01;
  one.clock = clock_;
  one.state_path = folder + "/" + name;
  one.store = std::make_shared<FileStore>(one.state_path);
}

void Site::add_fallback(const ScriptedCa& ca) {
  fallback = std::make_unique<Issuer>();
  set(*fallback, ca, "second");
  certificate.fallback = fallback.get();
}

Status Site::status() const { return status_of(certificate); }

std::optional<CertificateFacts> Site::facts() const {
  const auto text = certificate.store().read(certificate.pair_file());
  const auto pair = text ? parted(*text) : std::nullopt;
  if (!pair) return std::nullopt;
  return CertificateFacts::of(pair->certificate);
}

}  // namespace test
