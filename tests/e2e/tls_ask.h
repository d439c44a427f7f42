// What tests of TLS share: a request over a handshake of the test's making.
#pragma once
#include <string>

#include "e2e/certificate.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

namespace test {

inline Response ask(RawClient& c, const std::string& host, const std::string& path = "/") {
  c.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  return c.read_response();
}

inline Response ask(const Server& s, const TlsOptions& options, const std::string& host, int port = 0) {
  RawClient c(s.port(port));
  c.start_tls(options);
  return ask(c, host);
}

inline TlsOptions to(const std::string& server_name) {
  TlsOptions options;
  options.server_name = server_name;
  return options;
}

inline TlsOptions with(TlsOptions options, const Certificate& own) {
  options.certificate = own.certificate;
  options.key = own.key;
  return options;
}

inline TlsOptions only(TlsOptions options, int version) {
  options.min_version = options.max_version = version;
  return options;
}

// The files name.crt and name.key.
inline void add(Files& files, const std::string& name, const Certificate& made) {
  files.emplace_back(name + ".crt", made.certificate);
  files.emplace_back(name + ".key", made.key);
}

}  // namespace test
