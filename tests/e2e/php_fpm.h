// A real PHP-FPM with two processes, listening on a unix socket in a folder of its own.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

namespace test {

class PhpFpm {
 public:
  // Null, with a warning that the test is skipped, where there is none.
  static std::unique_ptr<PhpFpm> start();
  ~PhpFpm();
  PhpFpm(const PhpFpm&) = delete;
  std::string address() const { return "unix:" + folder_ + "/fpm.sock"; }

 private:
  explicit PhpFpm(const std::string& program);
  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace test
