// A DNS server for tests: it answers over UDP with what the test has told it, in a thread of its own. Names that nobody has
// told it of do not exist (NXDOMAIN).
//
//   DnsServer dns;
//   dns.set("app.test", {"127.0.0.1"}, 60);
//   Server s("resolver " + dns.address() + "; ...");
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "seawall/base/fd.h"

namespace test {

class DnsService {
 public:
  int priority, weight, port;
  std::string host;
};

class DnsServer {
 public:
  DnsServer();
  ~DnsServer();

  const std::string& address() const { return address_; }
  // Addresses of both kinds; ttl in seconds.
  void set(const std::string& name, std::vector<std::string> addresses, int ttl);
  void set_alias(const std::string& name, const std::string& of, int ttl);  // CNAME, and nothing about its target
  void set_service(const std::string& name, std::vector<DnsService> services, int ttl);  // SRV
  void fail(const std::string& name, int code);  // answers with this response code
  void ignore(const std::string& name);          // answers nothing
  int questions() const { return questions_; }   // so far, each kind of address by itself

 private:
  class Record {
   public:
    std::vector<std::string> addresses;
    int ttl = 0, code = 0;
    bool silent = false;
    std::string alias = {};
    std::vector<DnsService> services = {};
  };
  void serve();
  std::string answer(std::string_view question);  // "": none

  seawall::Fd socket_, stop_;
  std::string address_;
  std::mutex mutex_;
  std::map<std::string, Record> records_;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

}  // namespace test
