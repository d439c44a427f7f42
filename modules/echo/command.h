// The commands of a location, as they were written. Made at start-up, used on any loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::echo {

class Command {
 public:
  enum class Kind : std::uint8_t { text, duplicate, flush, sleep, read_body, request_body, location, exec };
  explicit Command(Kind kind) : kind(kind) {}

  Kind kind;
  std::vector<Template> words;
  bool newline = true;             // behind a text
  std::int64_t count = 0;          // of a duplicate
  std::chrono::milliseconds pause{0};  // where no word says it
};

// echo [-n] [TEXT ...]
Command parse_echo(const Invocation& in);
// echo_duplicate COUNT TEXT
Command parse_duplicate(const Invocation& in);
// echo_sleep SECONDS, with a fraction, or variables
Command parse_sleep(const Invocation& in);
// echo_location URI [ARGUMENTS], echo_exec likewise
Command parse_target(const Invocation& in, Command::Kind kind);

// How long a sleep takes; nothing: its variables say no time, which has been logged.
std::optional<std::chrono::milliseconds> pause_of(const Command& command, Exchange& x);
// Where a location or an exec leads; the arguments may stand behind the URI.
class Target {
 public:
  std::string uri, args;
};
Target target_of(const Command& command, Exchange& x);
// The words with spaces between them.
std::string text_of(const Command& command, Exchange& x);

}  // namespace seawall::echo
