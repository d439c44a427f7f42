#include "seawall/server/client_status.h"

#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "seawall/base/check.h"
#include "seawall/net/offload.h"
#include "seawall/server/connection.h"
#include "seawall/server/ocsp_fetch.h"
#include "seawall/server/tls_conf.h"
#include "seawall/server/vhost.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

constexpr const char* kFailed = "certificate status request failed";
constexpr Milliseconds kPatience{20'000};  // for all that there is to find out about a client
constexpr std::int64_t kLongest = 3600;  // s, of what is remembered

X509Ptr shared(X509* x) {
  X509_up_ref(x);
  return X509Ptr(x);
}

// From the leaf to the root, as it was verified; of a session that is resumed, verified once more. Empty: it cannot be.
std::vector<X509Ptr> chain_of(SSL* ssl) {
  std::vector<X509Ptr> chain;
  const auto take = [&chain](STACK_OF(X509)* all) {
    for (int i = 0; i < sk_X509_num(all); ++i) chain.push_back(shared(sk_X509_value(all, i)));
  };
  if (STACK_OF(X509)* const verified = SSL_get0_verified_chain(ssl)) {
    take(verified);
    return chain;
  }
  const std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>> search(X509_STORE_CTX_new());
  CHECK(search);
  X509_STORE* const store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  if (X509_STORE_CTX_init(search.get(), store, SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl)) == 1 &&
      X509_verify_cert(search.get()) == 1)
    take(X509_STORE_CTX_get0_chain(search.get()));
  return chain;
}

void complain(const Connection& c, const std::string& what, const std::string& host) {
  c.log(Level::error, what + " while requesting certificate status, responder: " + host);
}

// The configured one, or that of the certificate; nothing: there is none, and the log says why.
Task<std::shared_ptr<const Responder>> find_responder(Connection& c, const TlsConf& conf, const OcspQuery& query, Deadline last) {
  std::shared_ptr<const Responder> found = *conf.ocsp_responder;
  if (found) co_return found;
  const std::string url = query.responder();
  if (url.empty()) {
    c.log(Level::error, "no OCSP responder URL in certificate");
    co_return found;
  }
  auto work = [url]() -> std::pair<std::shared_ptr<const Responder>, std::string> {
    try {
      return {std::make_shared<const Responder>(Responder::parse(url)), std::string()};
    } catch (const TlsError& error) {
      return {nullptr, error.what()};
    }
  };
  auto looked = co_await offload(c.server.lookups, std::move(work), last);
  if (looked) found = looked->first;
  if (!found) c.log(Level::error, (looked ? looked->second : describe(looked.error())) + " in OCSP responder \"" + url + "\" in certificate");
  co_return found;
}

Task<std::optional<OcspAnswer>> ask(Connection& c, const TlsConf& conf, const OcspQuery& query, Deadline last) {
  std::optional<OcspAnswer> answer;
  const std::shared_ptr<const Responder> responder = co_await find_responder(c, conf, query, last);
  if (!responder) co_return answer;
  const std::string request = ocsp_request(*responder, query.request());
  for (const Address& address : responder->addresses) {
    Result<std::string> response = co_await ask_ocsp_responder(address, request, last);
    if (!response && response.error() == Errc::cancelled) co_return answer;
    try {
      if (!response) throw TlsError(describe(response.error()));
      answer = query.judge(ocsp_body(*response));
      co_return answer;
    } catch (const TlsError& error) {
      complain(c, error.what(), responder->host);
    }
  }
  co_return answer;
}

// Null: good.
Task<const char*> judge(Connection& c, const TlsConf& conf, OcspQuery query, Deadline last) {
  OcspCache* const cache = conf.ocsp_cache->get();
  const std::string key = query.key();
  std::optional<CertificateStatus> status;
  if (cache) status = cache->find(key, std::time(nullptr));
  if (!status) {
    const std::optional<OcspAnswer> answer = co_await ask(c, conf, query, last);
    if (!answer) co_return kFailed;
    if (cache) cache->keep(key, *answer);
    status = answer->status;
  }
  if (*status == CertificateStatus::good) co_return nullptr;
  co_return *status == CertificateStatus::revoked ? "certificate revoked" : "certificate status unknown";
}

}  // namespace

std::optional<CertificateStatus> OcspCache::find(const std::string& key, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->answer.valid_until <= now) {
    by_key_.erase(found);
    entries_.erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->answer.status;
}

void OcspCache::keep(const std::string& key, const OcspAnswer& answer) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  entries_.push_front({key, answer});
  // What does not say how long it is good for may be no more true at any time (RFC 6960 4.2.2.1).
  std::int64_t& until = entries_.front().answer.valid_until;
  until = std::min(until, std::time(nullptr) + kLongest);
  by_key_[key] = entries_.begin();
  if (entries_.size() <= most_) return;
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

Task<void> ask_client_status(Connection& c, TlsStream& tls) {
  const TlsConf& conf = c.shaken_by();
  if (*conf.ocsp == OcspUse::off || !SSL_get0_peer_certificate(tls.ssl())) co_return;
  if (SSL_get_verify_result(tls.ssl()) != X509_V_OK) co_return;
  X509_STORE* const store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(tls.ssl()));
  const std::vector<X509Ptr> chain = chain_of(tls.ssl());
  if (chain.empty()) {
    tls.refuse_client(kFailed);
    co_return;
  }
  const std::size_t asked = *conf.ocsp == OcspUse::leaf ? std::min<std::size_t>(1, chain.size() - 1) : chain.size() - 1;
  const char* refused = nullptr;
  const Deadline last = Deadline::in(kPatience, Wait::upstream_read);
  for (std::size_t i = 0; i < asked && !refused; ++i) {
    std::vector<X509Ptr> all;
    for (const X509Ptr& one : chain) all.push_back(shared(one.get()));
    OcspQuery query(shared(chain[i].get()), shared(chain[i + 1].get()), std::move(all), store, OcspTrust::store);
    try {
      refused = co_await judge(c, conf, std::move(query), last);
    } catch (const TlsError& error) {
      c.log(Level::error, std::string(error.what()) + " while requesting certificate status");
      refused = kFailed;
    }
  }
  tls.refuse_client(refused);
}

}  // namespace seawall
