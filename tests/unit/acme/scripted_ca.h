// A CA in the test's own process, over plain HTTP: its certificates are real, dated by the test's clock, and it says what the test
// tells it to.
//
//   const auto clock = std::make_shared<TestClock>();
//   ScriptedCa ca(clock);
//   ca.say_at("/order", {429, problem("rateLimited", "too many"), {"Retry-After: 60"}});
//   Client site = ...;
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "attempt.h"
#include "certificate.h"
#include "challenges.h"
#include "json.h"
#include "seawall/base/fd.h"

namespace test {

class TestClock final : public seawall::acme::Clock {
 public:
  std::int64_t now() const override { return now_; }
  void set(std::int64_t now) { now_ = now; }
  void advance(std::int64_t seconds) { now_ += seconds; }

 private:
  std::atomic<std::int64_t> now_{1'800'000'000};
};

constexpr std::int64_t kDay = 24 * 3600;

class Said {
 public:
  int status = 200;
  std::string body = {};
  std::vector<std::string> fields = {};
};

std::string problem(const std::string& type, const std::string& detail);

class ScriptedCa {
 public:
  using Json = seawall::acme::Json;

  explicit ScriptedCa(std::shared_ptr<const TestClock> clock);
  ~ScriptedCa();
  std::string url(const std::string& path = {}) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

  // From now on, to what begins with this path, instead of its own words; nothing: its own again.
  void say_at(const std::string& path, std::optional<Said> said);
  // Members of the directory, of each order, of each authorization: over its own. Before it is asked.
  Json directory = Json::object(), order = Json::object(), authorization = Json::object();
  std::string token = "c2VhLXdhbGwtdGVzdC10b2tlbg";
  std::int64_t life = 90 * kDay;
  std::string refuse_replaces;                  // with this type of error; empty: it does not
  bool foreign_chain = false;                   // behind its certificates stands one that has not issued them
  const seawall::acme::Tokens* tokens = nullptr;  // where it looks for the answers of http-01; null: nowhere

  int count(const std::string& path) const;     // of requests that began with it
  std::vector<Json> payloads(const std::string& path) const;
  int issued() const { return count("/finalize/"); }

 private:
  class Asked {
   public:
    std::string path;
    Json payload;
  };
  void serve();
  void play(seawall::Fd client);
  Said answer(const std::string& path, const Json& payload);
  Said own_answer(const std::string& path, const Json& payload);
  Said order_of(const std::string& number, int status);
  Said authorization_of(const std::string& number);
  void finalize(const std::string& number, const std::string& csr);
  std::string issue(const std::string& csr) const;

  const std::shared_ptr<const TestClock> clock_;
  seawall::Fd listener_, stop_;
  int port_ = 0;
  seawall::KeyPtr key_, foreign_key_;
  seawall::acme::Pair own_, foreign_;
  mutable std::mutex mutex_;
  std::map<std::string, Said> said_;
  std::vector<Asked> asked_;
  std::map<std::string, Json> orders_;  // by number: identifiers, proved, certificate
  std::thread thread_;
};

// A certificate that the configuration would ask for, with its issuers, in a folder of its own.
class Site {
 public:
  Site(const ScriptedCa& ca, const std::shared_ptr<TestClock>& clock, std::vector<std::string> names = {"a.example.test"});
  ~Site();
  std::string folder;
  seawall::acme::Issuer issuer;
  std::unique_ptr<seawall::acme::Issuer> fallback;
  seawall::acme::Certificate certificate;
  seawall::acme::Tokens tokens;
  seawall::acme::Stop stop;

  seawall::acme::Status status() const;
  std::optional<seawall::acme::CertificateFacts> facts() const;  // of the certificate that is there
  void add_fallback(const ScriptedCa& ca);

 private:
  void set(seawall::acme::Issuer& one, const ScriptedCa& ca, const std::string& name) const;
  const std::shared_ptr<TestClock> clock_;
};

// A CA and one site that asks it.
class OneCa {
 public:
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  ScriptedCa ca{clock};
  Site site{ca, clock};
  seawall::acme::Attempted attempt() { return seawall::acme::attempt(site.certificate, site.tokens, site.stop); }
};

}  // namespace test
