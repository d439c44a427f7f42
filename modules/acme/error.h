// What can go wrong between us and a CA, in words for the log and the status of a certificate. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::acme {

// What a CA, a certificate or a hook says goes to logs, files and terminals: in one line, of visible characters, not for ever.
inline std::string visible(std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::string line(text.substr(0, kMost));
  for (char& c : line)
    if (c < ' ' || c > '~') c = c == '\n' || c == '\t' ? ' ' : '?';
  return text.size() > kMost ? line + "..." : line;
}

class AcmeError : public std::runtime_error {
 public:
  explicit AcmeError(const std::string& message, const std::string& type = {}, std::optional<std::int64_t> retry_after = {}, long status = 0)
      : runtime_error(visible(message)), type(visible(type)), retry_after(retry_after), status(status) {}
  std::string type;  // of the CA's problem document: "badNonce", "rateLimited" ...; empty: not the CA's word
  std::optional<std::int64_t> retry_after;  // seconds: the CA has said when it may be asked again
  long status;                              // of HTTP; 0: there was no answer, or it is about something else
};

// Nobody wants the result any more: another worker goes on with it.
class Stopped : public std::runtime_error {
 public:
  Stopped() : runtime_error("it was stopped") {}
};

}  // namespace seawall::acme
