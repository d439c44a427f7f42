// A CA for tests: Debian's pebble with its own DNS, which says 127.0.0.1 for every name, so that it validates at a server of
// the test.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace test {

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child();  // ends it
  Child(const Child&) = delete;

 private:
  const pid_t pid_;
};

// pebble's DNS alone: 127.0.0.1 for every name, until it is told otherwise.
class NameServer {
 public:
  static std::unique_ptr<NameServer> start();  // null, with a warning, where there is none
  std::string address() const;
  std::string management() const;  // URL of what changes it
  // POST /COMMAND: add-a {"host":"a.test.","addresses":["127.0.0.2"]}, add-caa, set-default-ipv4 ...
  void tell(const std::string& command, const std::string& json) const;

 private:
  NameServer();
  const std::string folder_;
  const int port_, management_;
  std::unique_ptr<Child> child_;
};

class PebbleOptions {
 public:
  int validity = 3600;         // of certificates, seconds
  int refused_nonces = 0;      // percent
  bool wants_binding = false;  // external accounts: the kid "kid-1", with its key in Pebble::kBindingKey
  std::vector<std::pair<std::string, std::string>> environment;  // PEBBLE_... of the test's own
};

class Pebble {
 public:
  // Null, with a warning that the test is skipped, where there is none. It looks for http-01 and tls-alpn-01 at these ports.
  static std::unique_ptr<Pebble> start(int http_port, int tls_port, const PebbleOptions& options = {});

  static constexpr const char* kBindingKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
  std::string directory() const;
  std::string authority() const { return folder_ + "/pebble.crt"; }  // a file: who signed for its own TLS
  std::string root(int n = 0) const;                                          // PEM: of what it issues
  std::string folder() const { return folder_; }
  const NameServer& names() const { return *names_; }
  std::string log() const;
  // An acme_issuer block that asks it.
  std::string issuer(const std::string& name, const std::string& more = {}) const;

 private:
  Pebble(std::unique_ptr<NameServer> names, int http_port, int tls_port, const PebbleOptions& options);
  void start_ca(int http_port, int tls_port, const PebbleOptions& options);

  const std::string folder_;
  const int port_, management_;
  const std::unique_ptr<NameServer> names_;
  std::unique_ptr<Child> child_;
};

}  // namespace test
