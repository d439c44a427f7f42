// The nginx of the system, as a counterpart: what it does with the same peers. Its files are in a folder of its own.
//
//   const auto nginx = Nginx::start("server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass ...; } }");
//   if (!nginx) return;  // there is none
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"

namespace test {

class Nginx {
 public:
  // The inside of http {}. Null, with a warning that the comparison is skipped, where there is none.
  static std::unique_ptr<Nginx> start(std::string_view config);
  ~Nginx();
  Nginx(const Nginx&) = delete;

  int port() const { return port_; }
  void reload();  // HUP; returns once the old worker drains

 private:
  explicit Nginx(std::string_view config);
  std::string folder_;
  int port_;
  pid_t pid_ = -1;
  seawall::Fd process_;  // pidfd
};

}  // namespace test
