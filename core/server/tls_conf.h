// The ssl_* settings of http and server, and the context they make. Start-up thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seawall/config/setting.h"
#include "seawall/config/template.h"
#include "seawall/tls/certificate_cache.h"
#include "seawall/tls/context.h"

namespace seawall {

class Exchange;
class HandshakeHook;
class OcspCache;
class Responder;

class TlsVersions {
 public:
  int lowest = TLS1_2_VERSION, highest = TLS1_3_VERSION;
  std::vector<int> holes;
};

// What ssl_certificate and ssl_certificate_key name.
class PemName {
 public:
  std::string name;    // as files are named: absolute, or "data:..."
  Template value;      // with variables: the name as written, whose relative paths begin at `prefix`
  std::string prefix;
  bool varies() const { return !value.is_literal(); }
  std::string eval(Exchange& x) const;
};

class SessionCacheConf {
 public:
  bool ids = true;           // off: clients are told that there are no sessions
  std::int64_t builtin = 0;  // sessions of a cache of its own; 0: none
  std::string shared;        // the name of one that servers share; empty: none
  std::int64_t size = 0;     // of that, bytes
};

// What holds where ssl_protocols and ssl_ciphers are not written: Mozilla's three.
enum class TlsProfile : std::uint8_t { modern, intermediate, old };

enum class OcspUse : std::uint8_t { off, on, leaf };

class TlsConf {
 public:
  Setting<TlsProfile> profile{TlsProfile::intermediate};
  Setting<bool> ssl{false};  // the old `ssl on`
  Setting<std::vector<PemName>> certificates;
  Setting<std::vector<PemName>> keys;
  Setting<std::vector<std::string>> passwords;
  Setting<TlsVersions> protocols;
  Setting<std::string> ciphers{std::string()};
  Setting<bool> prefer_server_ciphers{true};
  Setting<std::string> ecdh_curve{std::string("auto")};
  Setting<std::string> dhparam{std::string()};
  Setting<std::vector<std::pair<std::string, std::string>>> commands;
  Setting<VerifyClient> verify{VerifyClient::off};
  Setting<std::int64_t> verify_depth{1};
  Setting<std::string> client_certificate{std::string()};
  Setting<std::string> trusted_certificate{std::string()};
  Setting<std::string> crl{std::string()};
  Setting<std::shared_ptr<CertificateCache>> certificate_cache;  // null: pairs with variables are loaded each time
  Setting<bool> early_data{false};
  Setting<std::int64_t> buffer_size{0};  // 0: not written
  Setting<bool> stapling{false};
  Setting<bool> stapling_verify{false};
  Setting<std::string> stapling_file{std::string()};
  Setting<std::string> stapling_responder{std::string()};
  Setting<OcspUse> ocsp{OcspUse::off};  // of client certificates
  Setting<std::shared_ptr<const Responder>> ocsp_responder;  // null: the one in the certificate
  Setting<std::shared_ptr<OcspCache>> ocsp_cache;            // null: none
  Setting<bool> session_tickets{true};
  Setting<std::vector<std::string>> ticket_keys;
  Setting<SessionCacheConf> session_cache;
  Setting<std::chrono::milliseconds> session_timeout{std::chrono::milliseconds(300'000)};
  Setting<std::chrono::milliseconds> handshake_timeout{std::chrono::milliseconds(10'000)};
  Setting<bool> reject_handshake{false};
  // Not a directive's: what a module brings where no ssl_certificate is written (server/server_blocks.h). Null: nothing.
  std::shared_ptr<GivenCertificate> given;
  // ... and who is asked in each handshake: for its certificates, and (of the default server of an address) before anything is known
  // of it. Null: nobody.
  std::shared_ptr<const HandshakeHook> certificate_hook, hello_hook;

  bool has_certificate() const { return given || !certificates->empty(); }
};

// Would a client whom one of these servers has verified have been verified by the other as well?
bool verify_alike(const TlsConf& a, const TlsConf& b);

// The context of a server with these settings; servers that say the same share one. ConfigError in nginx's wording.
std::shared_ptr<TlsContext> make_tls_context(const TlsConf& conf, const std::function<void(const std::string&)>& warn);

}  // namespace seawall
