#include "seawall/tls/context.h"

#include <openssl/err.h>

#include <algorithm>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

void free_state(void*, void* state, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<TlsState*>(state); }

int state_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_state);
  return index;
}

void load_certificate(SSL_CTX* ctx, const std::string& name, const PemFiles& files) {
  CertificateChain chain;
  try {
    chain = parse_certificate(files.text(name));
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate \"" + shown(name) + "\": " + error.what());
  }
  if (SSL_CTX_use_certificate(ctx, chain.leaf.get()) != 1) throw_openssl("SSL_CTX_use_certificate(\"" + shown(name) + "\")");
  SSL_CTX_clear_chain_certs(ctx);
  for (const X509Ptr& other : chain.others)
    if (SSL_CTX_add1_chain_cert(ctx, other.get()) != 1) throw_openssl("SSL_CTX_add1_chain_cert(\"" + shown(name) + "\")");
}

void load_key(SSL_CTX* ctx, const std::string& name, const PemFiles& files, const std::vector<std::string>& passwords) {
  KeyPtr key;
  try {
    key = parse_key(files.text(name), passwords);
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate key \"" + shown(name) + "\": " + error.what());
  }
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) throw_openssl("SSL_CTX_use_PrivateKey(\"" + shown(name) + "\")");
}

// To be read again by who may not read them.
GivenFiles copy_of(const std::vector<std::string>& names, const PemFiles& files) {
  std::map<std::string, std::string> texts;
  for (const std::string& name : names) texts[name] = files.text(name);
  return GivenFiles(std::move(texts));
}

TlsContext::Handle build(const TlsSettings& settings, const PemFiles& files, const Staples& before,
                         std::vector<std::string>& warnings) {
  ERR_clear_error();
  TlsContext::Handle handle(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* const ctx = handle.get();
  if (!ctx) throw_openssl("SSL_CTX_new()");
  TlsState::attach(ctx).record_size = settings.record_size;
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                               SSL_OP_SINGLE_ECDH_USE);
  set_versions(ctx, settings);
  set_ciphers(ctx, settings, files);
  if (!settings.pairs_vary) {
    for (const TlsSettings::Pair& pair : settings.pairs) {
      load_certificate(ctx, pair.certificate, files);
      load_key(ctx, pair.key, files, settings.passwords);
    }
  }
  if (const auto given = settings.given ? settings.given->pair() : std::nullopt) {
    load_certificate(ctx, kPemData + given->certificate, files);
    load_key(ctx, kPemData + given->key, files, {});
  }
  set_verification(ctx, settings, files);
  set_sessions(ctx, settings, files);
  set_early_data(ctx, settings);
  set_stapling(ctx, settings, files, before, warnings);
  set_commands(ctx, settings);
  TlsStream::prepare(ctx);
  if (settings.pairs_vary || settings.pairs_asked) TlsStream::prepare_loading(ctx);
  return handle;
}

}  // namespace

TlsState& TlsState::attach(SSL_CTX* ctx) {
  auto state = std::make_unique<TlsState>();
  if (SSL_CTX_set_ex_data(ctx, state_index(), state.get()) != 1) throw_openssl("SSL_CTX_set_ex_data()");
  return *state.release();
}

TlsState& TlsState::of(SSL_CTX* ctx) { return *static_cast<TlsState*>(SSL_CTX_get_ex_data(ctx, state_index())); }

std::string shown(const std::string& name) { return is_pem_data(name) ? "data:..." : name; }

std::vector<std::string> TlsSettings::files() const {
  std::vector<std::string> all;
  for (const auto& command : commands)
    if (command.second.starts_with('/')) return all;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && !is_pem_data(name) && std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  };
  if (!pairs_vary) {
    for (const Pair& pair : pairs) {
      add(pair.certificate);
      add(pair.key);
    }
  }
  if (verify != VerifyClient::off) add(client_certificate);
  for (const std::string* name : {&trusted_certificate, &crl, &dhparam}) add(*name);
  if (stapling) add(stapling_file);
  for (const std::string& name : ticket_keys) add(name);
  return all;
}

std::shared_ptr<TlsContext> TlsContext::make(TlsSettings settings, const PemFiles& files) {
  std::shared_ptr<TlsContext> context(new TlsContext(std::move(settings)));
  context->stamps_ = stamps_of(context->settings_.files());
  context->current_ = build(context->settings_, files, {}, context->warnings_);
  if (const auto& given = context->settings_.given) {
    context->files_ = copy_of(context->settings_.files(), files);
    given->add(context);
  }
  return context;
}

TlsContext::Handle TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void TlsContext::renew(const PemFiles& files) {
  std::vector<std::string> warnings;
  Handle next = build(settings_, files, staples_of(current().get()), warnings);
  warnings_ = std::move(warnings);
  if (settings_.given && &files != &files_) files_ = copy_of(settings_.files(), files);
  const std::lock_guard lock(mutex_);
  current_.swap(next);  // the old one ends outside the lock: `next` was made before it
}

}  // namespace seawall
