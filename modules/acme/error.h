// What can go wrong between us and a CA, in words for the log and the status of a certificate. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace seawall::acme {

class AcmeError : public std::runtime_error {
 public:
  explicit AcmeError(const std::string& message, std::string type = {}, std::optional<std::int64_t> retry_after = {})
      : runtime_error(message), type(std::move(type)), retry_after(retry_after) {}
  std::string type;  // of the CA's problem document: "badNonce", "rateLimited" ...; empty: not the CA's word
  std::optional<std::int64_t> retry_after;  // seconds: the CA has said when it may be asked again
};

// Nobody wants the result any more: another worker goes on with it.
class Stopped : public std::runtime_error {
 public:
  Stopped() : runtime_error("it was stopped") {}
};

}  // namespace seawall::acme
