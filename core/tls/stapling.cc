#include "seawall/tls/stapling.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <algorithm>
#include <ctime>

#include "seawall/base/text.h"
#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, OpensslFree<OCSP_RESPONSE_free>>;

constexpr std::int64_t kFirstPause = 1, kLongestPause = 300;
constexpr std::int64_t kSoonest = 300, kLatest = 3600;  // between two successful fetches, as in nginx
constexpr std::int64_t kForever = INT64_MAX;

ResponsePtr parse_response(const std::string& der) {
  const auto* from = reinterpret_cast<const unsigned char*>(der.data());
  ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &from, static_cast<long>(der.size())));
  if (!response) throw_openssl("d2i_OCSP_RESPONSE()");
  return response;
}

std::vector<Address> look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    throw TlsError(std::string("host not found (") + ::gai_strerror(error) + ")");
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one; one = one->ai_next) addresses.push_back(Address::from(one->ai_addr, one->ai_addrlen));
  ::freeaddrinfo(found);
  return addresses;
}

int staple(SSL* ssl, void*) {
  const X509* const certificate = SSL_get_certificate(ssl);
  if (!certificate) return SSL_TLSEXT_ERR_NOACK;
  for (const auto& one : TlsState::of(SSL_get_SSL_CTX(ssl)).staples) {
    if (!one->is_of(certificate)) continue;
    const std::string response = one->response(std::time(nullptr));
    if (response.empty()) return SSL_TLSEXT_ERR_NOACK;
    void* const copy = OPENSSL_memdup(response.data(), response.size());  // OpenSSL frees it
    if (!copy) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

X509Ptr shared(X509* x) {
  X509_up_ref(x);
  return X509Ptr(x);
}

// From the chain, else from the trusted ones; null: nobody knows it.
X509Ptr find_issuer(SSL_CTX* ctx, X509* certificate, const std::vector<X509Ptr>& chain) {
  for (const X509Ptr& other : chain)
    if (X509_check_issued(other.get(), certificate) == X509_V_OK) return shared(other.get());
  const std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>> search(X509_STORE_CTX_new());
  X509* issuer = nullptr;
  if (!search || X509_STORE_CTX_init(search.get(), SSL_CTX_get_cert_store(ctx), nullptr, nullptr) != 1)
    throw_openssl("X509_STORE_CTX_init()");
  if (X509_STORE_CTX_get1_issuer(&issuer, search.get(), certificate) != 1) return nullptr;
  return X509Ptr(issuer);
}

std::string contents(const std::string& path, const PemFiles& files) {
  try {
    std::string der = files.text(path);
    parse_response(der);
    return der;
  } catch (const TlsError& error) {
    throw TlsError("cannot load OCSP response \"" + path + "\": " + error.what());
  }
}

// A renewal does not look up a host that is known: the lookup would hold up whoever renews.
Responder responder_at(const std::string& url, const Staples& before) {
  for (const auto& staple : before)
    if (staple->responder().url == url) return staple->responder();
  return Responder::parse(url);
}

// What keeps a certificate without staple is a warning, as in nginx.
void prepare_fetching(SSL_CTX* ctx, const TlsSettings& s, Staple& staple, X509* leaf, std::vector<X509Ptr> chain, const Staples& before) {
  X509Ptr issuer = find_issuer(ctx, leaf, chain);
  if (!issuer) throw TlsError("issuer certificate not found for certificate \"" + staple.name() + "\"");
  const std::string url = s.stapling_responder.empty() ? ocsp_url_in(leaf) : s.stapling_responder;
  if (url.empty()) throw TlsError("no OCSP responder URL in the certificate \"" + staple.name() + "\"");
  Responder responder;
  try {
    responder = responder_at(url, before);
  } catch (const TlsError& error) {
    throw TlsError(error.what() + (" in OCSP responder \"" + url + "\" in the certificate \"") + staple.name() + "\"");
  }
  staple.fetch_from(std::move(responder), std::move(issuer), std::move(chain), SSL_CTX_get_cert_store(ctx), s.stapling_verify);
}

}  // namespace

Responder Responder::parse(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!equals_ignoring_case(std::string_view(url).substr(0, scheme.size()), scheme)) throw TlsError("invalid URL prefix");
  const std::string rest = url.substr(scheme.size());
  const auto slash = rest.find('/');
  const std::string authority = rest.substr(0, slash);
  Responder responder;
  responder.url = url;
  responder.path = slash == std::string::npos ? "/" : rest.substr(slash);
  responder.host = authority;
  if (const auto address = Address::parse(authority, 80)) {
    responder.addresses.push_back(*address);
    return responder;
  }
  const auto colon = authority.rfind(':');
  const std::string host = authority.substr(0, colon);
  if (host.empty()) throw TlsError("no host");
  responder.addresses = look_up(host, colon == std::string::npos ? "80" : authority.substr(colon + 1));
  return responder;
}

void Staple::fetch_from(Responder responder, X509Ptr issuer, std::vector<X509Ptr> chain, X509_STORE* store, bool verify) {
  responder_ = std::move(responder);
  query_ = std::make_unique<OcspQuery>(shared(certificate_.get()), std::move(issuer), std::move(chain), store,
                                       verify ? OcspTrust::chain : OcspTrust::anybody);
}

void Staple::set(std::string response, std::int64_t valid_until) {
  const std::lock_guard lock(mutex_);
  response_ = std::move(response);
  valid_until_ = valid_until;
}

void Staple::continue_from(const Staple& before) {
  const std::scoped_lock lock(mutex_, before.mutex_);
  response_ = before.response_;
  valid_until_ = before.valid_until_;
  due_ = before.due_;
  pause_ = before.pause_;
}

std::string Staple::response(std::int64_t now) const {
  const std::lock_guard lock(mutex_);
  return now <= valid_until_ ? response_ : std::string();
}

void Staple::take(const std::string& der, std::int64_t now) {
  const OcspAnswer answer = query_->judge(der);
  if (answer.status != CertificateStatus::good)
    throw TlsError(std::string("certificate status \"") + name_of(answer.status) + "\" in the OCSP response");
  const std::int64_t valid_until = answer.valid_until;
  set(der, valid_until);
  pause_ = 0;
  due_ = std::max(std::min(valid_until - OcspQuery::kSkew, now + kLatest), now + kSoonest);
}

void Staple::failed(std::int64_t now) {
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  due_ = now + pause_;
}

Staples staples_of(SSL_CTX* ctx) { return TlsState::of(ctx).staples; }

void set_stapling(SSL_CTX* ctx, const TlsSettings& s, const PemFiles& files, const Staples& before, std::vector<std::string>& warnings) {
  if (!s.stapling || s.pairs_vary) return;
  if (s.given) warnings.push_back("\"ssl_stapling\" ignored, not supported yet for certificates that are not files");
  SSL_CTX_set_tlsext_status_cb(ctx, staple);
  for (const TlsSettings::Pair& pair : s.pairs) {
    CertificateChain chain = parse_certificate(files.text(pair.certificate));
    auto staple = std::make_shared<Staple>(shown(pair.certificate), shared(chain.leaf.get()));
    X509* const leaf = chain.leaf.get();
    if (!s.stapling_file.empty()) {
      staple->set(contents(s.stapling_file, files), kForever);
    } else {
      try {
        prepare_fetching(ctx, s, *staple, leaf, std::move(chain.others), before);
        for (const auto& known : before)
          if (known->is_fetched() && known->is_of(leaf)) staple->continue_from(*known);
      } catch (const TlsError& error) {
        warnings.push_back(std::string("\"ssl_stapling\" ignored, ") + error.what());
        continue;
      }
    }
    TlsState::of(ctx).staples.push_back(std::move(staple));
  }
}

}  // namespace seawall
