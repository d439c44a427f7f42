// What tests of ACME share: the ports of a site, and what its clients see.
#pragma once
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "e2e/curl.h"
#include "e2e/pebble.h"
#include "e2e/tls_ask.h"

namespace test {

// The ports that a CA looks at, which both it and the server must know before they start.
class Ports {
 public:
  int http = free_port(), tls = free_port();
  std::string listen_plain() const { return "listen 127.0.0.1:" + std::to_string(http) + "; "; }
  std::string listen_tls() const { return "listen 127.0.0.1:" + std::to_string(tls) + " ssl; "; }
};

class Seen {
 public:
  std::string issuer, serial;
  int key_type = 0;
};

inline Seen seen(int port, const std::string& name) {
  RawClient c(port);
  c.start_tls(to(name));
  const std::unique_ptr<X509, decltype(&X509_free)> x(SSL_get1_peer_certificate(c.tls()), X509_free);
  Seen seen;
  char text[256];
  seen.issuer = X509_NAME_oneline(X509_get_issuer_name(x.get()), text, sizeof text);
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(x.get());
  seen.serial.assign(reinterpret_cast<const char*>(serial->data), static_cast<std::size_t>(serial->length));
  seen.key_type = EVP_PKEY_get_base_id(X509_get0_pubkey(x.get()));
  return seen;
}

inline const std::string kInUse = "acme: the certificate of \"[^\"]*\" is in use, by Pebble";

inline bool is_issued(const Server& s) {
  return s.wait_for_log(kInUse);
}

// `seawall acme WORD...` beside a server, or without one, with the configuration in this folder; as Server starts it.
inline Run acme_command(const std::string& folder, const std::vector<std::string>& words) {
  std::vector<std::string> all{"acme", "-p", folder, "-c", folder + "/nginx.conf"};
  if (::geteuid() == 0 && read_file(folder + "/nginx.conf").find("user ") == std::string::npos) all.insert(all.end(), {"-g", "user root;"});
  all.insert(all.end(), words.begin(), words.end());
  return run_server(all, folder);
}

// As a browser would: with the CA's root, and the name.
inline Response visit(const Pebble& ca, int port, const std::string& name, int root_number = 0) {
  const std::string root = ca.folder() + "/root.crt";
  write_file(root, ca.root(root_number));
  Request request;
  request.url = "https://" + name + ":" + std::to_string(port) + "/";
  request.resolve = {name + ":" + std::to_string(port) + ":127.0.0.1"};
  request.ca_file = root;
  return fetch(request);
}

}  // namespace test
