// Http: requests to a CA, one after another, on a thread that may wait (libcurl). One thread. Errors: AcmeError, Stopped.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stop.h"

namespace seawall::acme {

class HttpAnswer {
 public:
  long status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::size_t head_size = 0;
  bool too_long = false;                              // it was broken off
  std::string field(const std::string& name) const;  // the first; empty: none
  // Seconds from now, of Retry-After in either form.
  std::optional<std::int64_t> retry_after(std::int64_t now) const;
};

class HttpSettings {
 public:
  std::string authorities;  // PEM of those to trust; empty: the system's
  bool may_be_plain = false;  // http:// as well
  std::string connect_to;     // the one address to go to, whatever the DNS says; empty: that of the URL
  bool verify = true;
  std::chrono::milliseconds patience{30'000};  // for one request as a whole
};

// Answers are bounded: 64 KiB of fields, 1 MiB of body. No redirect is followed.
class Http {
 public:
  Http(const HttpSettings& settings, Stop& stop);
  ~Http();
  HttpAnswer head(const std::string& url);
  HttpAnswer get(const std::string& url);
  HttpAnswer post(const std::string& url, const std::string& body, const std::string& accept);

 private:
  HttpAnswer run(const std::string& url);
  int perform();  // a CURLcode; AcmeError: curl itself fails
  void reset(const std::string& url);

  const HttpSettings& settings_;
  Stop& stop_;
  std::unique_ptr<void, int (*)(void*)> all_;  // curl's multi handle with its connections: outlives
  std::unique_ptr<void, void (*)(void*)> curl_;
  char error_[256];
};

}  // namespace seawall::acme
