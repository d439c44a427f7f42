#include "seawall/tls/alpn_challenges.h"

#include "seawall/base/text.h"
#include "seawall/tls/context.h"
#include "seawall/tls/pem.h"

namespace seawall {
namespace {

int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned, void*) {
  *out = in + 1;  // the only one: answer() has looked
  *size = in[0];
  return SSL_TLSEXT_ERR_OK;
}

// A context as servers have it: callbacks of the one that the handshake began with look for the same things behind it.
std::shared_ptr<SSL_CTX> make_context(const std::string& certificate, const std::string& key) {
  TlsSettings settings;
  settings.session_tickets = settings.session_ids = false;
  TlsSettings::Pair pair;
  pair.certificate = kPemData + certificate;
  pair.key = kPemData + key;
  settings.pairs.push_back(std::move(pair));
  auto ctx = TlsContext::make(std::move(settings))->current();
  SSL_CTX_set_alpn_select_cb(ctx.get(), choose, nullptr);
  return ctx;
}

// The list of the extension is exactly this one protocol (RFC 8737 3).
bool asks_for_proof(SSL* ssl) {
  const unsigned char* data;
  std::size_t size;
  if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &data, &size)) return false;
  if (size != kAcmeTls.size() + 3 || data[2] != kAcmeTls.size()) return false;
  return std::string_view(reinterpret_cast<const char*>(data) + 3, kAcmeTls.size()) == kAcmeTls;
}

}  // namespace

AlpnChallenges& AlpnChallenges::all() {
  static AlpnChallenges all;
  return all;
}

void AlpnChallenges::add(const std::string& name, const std::string& certificate, const std::string& key) {
  auto context = make_context(certificate, key);
  const std::lock_guard lock(mutex_);
  contexts_[name] = std::move(context);
  count_ = static_cast<int>(contexts_.size());
}

void AlpnChallenges::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  contexts_.erase(name);
  count_ = static_cast<int>(contexts_.size());
}

bool AlpnChallenges::answer(SSL* ssl, std::string_view name) {
  if (count_ == 0 || !asks_for_proof(ssl)) return false;
  const std::lock_guard lock(mutex_);
  const auto found = contexts_.find(lower(name));
  if (found == contexts_.end()) return false;
  SSL_set_SSL_CTX(ssl, found->second.get());
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  SSL_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_num_tickets(ssl, 0);
  return true;
}

}  // namespace seawall
