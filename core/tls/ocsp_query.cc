#include "seawall/tls/ocsp_query.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <ctime>
#include <utility>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, OpensslFree<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, OpensslFree<OCSP_BASICRESP_free>>;
using RequestPtr = std::unique_ptr<OCSP_REQUEST, OpensslFree<OCSP_REQUEST_free>>;
using CertIdPtr = std::unique_ptr<OCSP_CERTID, OpensslFree<OCSP_CERTID_free>>;

constexpr std::int64_t kForever = INT64_MAX;

ResponsePtr parse_response(const std::string& der) {
  const auto* from = reinterpret_cast<const unsigned char*>(der.data());
  ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &from, static_cast<long>(der.size())));
  if (!response) throw_openssl("d2i_OCSP_RESPONSE()");
  return response;
}

std::int64_t seconds_of(const ASN1_GENERALIZEDTIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

CertIdPtr id_of(X509* certificate, X509* issuer) {
  CertIdPtr id(OCSP_cert_to_id(nullptr, certificate, issuer));
  if (!id) throw_openssl("OCSP_cert_to_id()");
  return id;
}

CertificateStatus status_of(int status) {
  if (status == V_OCSP_CERTSTATUS_GOOD) return CertificateStatus::good;
  return status == V_OCSP_CERTSTATUS_REVOKED ? CertificateStatus::revoked : CertificateStatus::unknown;
}

unsigned long flags_of(OcspTrust trust) {
  switch (trust) {
    case OcspTrust::anybody: return OCSP_NOVERIFY;
    case OcspTrust::chain: return OCSP_TRUSTOTHER;
    case OcspTrust::store: return 0;
  }
  return 0;
}

}  // namespace

const char* name_of(CertificateStatus status) {
  switch (status) {
    case CertificateStatus::good: return "good";
    case CertificateStatus::revoked: return "revoked";
    case CertificateStatus::unknown: return "unknown";
  }
  return "unknown";
}

OcspQuery::OcspQuery(X509Ptr certificate, X509Ptr issuer, std::vector<X509Ptr> chain, X509_STORE* store, OcspTrust trust)
    : certificate_(std::move(certificate)), issuer_(std::move(issuer)), chain_(std::move(chain)), trust_(trust) {
  X509_STORE_up_ref(store);
  store_.reset(store);
}

std::string OcspQuery::request() const {
  const RequestPtr request(OCSP_REQUEST_new());
  CertIdPtr id = id_of(certificate_.get(), issuer_.get());
  if (!request || !OCSP_request_add0_id(request.get(), id.get())) throw_openssl("OCSP_request_add0_id()");
  id.release();
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &der);
  if (size <= 0) throw_openssl("i2d_OCSP_REQUEST()");
  std::string text(static_cast<std::size_t>(size) * 4 / 3 + 8, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), der, size)));
  OPENSSL_free(der);
  return text;
}

std::string OcspQuery::key() const {
  const CertIdPtr id = id_of(certificate_.get(), issuer_.get());
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_CERTID(id.get(), &der);
  if (size <= 0) throw_openssl("i2d_OCSP_CERTID()");
  std::string key(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return key;
}

std::string OcspQuery::responder() const { return ocsp_url_in(certificate_.get()); }

OcspAnswer OcspQuery::judge(const std::string& der) const {
  ERR_clear_error();
  const ResponsePtr response = parse_response(der);
  if (const int status = OCSP_response_status(response.get()); status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    throw TlsError(std::string("OCSP response not successful (") + OCSP_response_status_str(status) + ")");
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (!basic) throw_openssl("OCSP_response_get1_basic()");
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain(sk_X509_new_null(),
                                                                          [](STACK_OF(X509)* stack) { sk_X509_free(stack); });
  for (const X509Ptr& one : chain_) sk_X509_push(chain.get(), one.get());
  if (OCSP_basic_verify(basic.get(), chain.get(), store_.get(), flags_of(trust_)) != 1)
    throw_openssl("OCSP_basic_verify()");
  const CertIdPtr id = id_of(certificate_.get(), issuer_.get());
  int status = 0;
  ASN1_GENERALIZEDTIME *from = nullptr, *until = nullptr;
  if (OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr, nullptr, &from, &until) != 1)
    throw TlsError("certificate status not found in the OCSP response");
  if (OCSP_check_validity(from, until, kSkew, -1) != 1) throw_openssl("OCSP_check_validity()");
  OcspAnswer answer;
  answer.status = status_of(status);
  answer.valid_until = until ? seconds_of(until) : kForever;
  return answer;
}

std::string ocsp_url_in(X509* certificate) {
  STACK_OF(OPENSSL_STRING)* const urls = X509_get1_ocsp(certificate);
  if (!urls) return {};
  std::string url;
  if (sk_OPENSSL_STRING_num(urls) > 0) url = sk_OPENSSL_STRING_value(urls, 0);
  X509_email_free(urls);
  return url;
}

}  // namespace seawall
