#include "seawall/tls/alpn_challenges.h"

#include "seawall/base/text.h"
#include "seawall/log/log.h"
#include "seawall/tls/context.h"
#include "seawall/tls/error.h"
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
  look_further();
}

void AlpnChallenges::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  contexts_.erase(name);
  look_further();
}

void AlpnChallenges::ask_too(Others others) {
  const std::lock_guard lock(mutex_);
  others_ = others ? std::make_shared<const Others>(std::move(others)) : nullptr;
  look_further();
}

void AlpnChallenges::look_further() { any_ = others_ || !contexts_.empty(); }

// Others are asked without the lock: that may take a look at a disk. Null: there is no proof, or none that TLS would take.
std::shared_ptr<SSL_CTX> AlpnChallenges::find(const std::string& name) {
  std::shared_ptr<const Others> others;
  {
    const std::lock_guard lock(mutex_);
    const auto found = contexts_.find(name);
    if (found != contexts_.end()) return found->second;
    others = others_;
  }
  const auto pair = others ? (*others)(name) : std::nullopt;
  if (!pair) return nullptr;
  try {
    return make_context(pair->certificate, pair->key);
  } catch (const TlsError& error) {
    log(Level::error, "the proof of another process for \"" + name + "\" cannot be shown: " + error.what());
    return nullptr;
  }
}

bool AlpnChallenges::answer(SSL* ssl, std::string_view name) {
  if (!any_ || !asks_for_proof(ssl)) return false;
  const auto context = find(lower(name));
  if (!context) return false;
  SSL_set_SSL_CTX(ssl, context.get());
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  SSL_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_num_tickets(ssl, 0);
  return true;
}

}  // namespace seawall
