// What is wrong with a server's TLS settings. The configuration layer adds the place. Start-up thread.
#pragma once
#include <stdexcept>
#include <string>

namespace seawall {

class TlsError : public std::runtime_error {
 public:
  explicit TlsError(const std::string& message) : runtime_error(message) {}
};

}  // namespace seawall
