// The commands of a location, as they were written. Made at start-up, used on any loop.
#pragma once
#include <chrono>
#include <cstdint>
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
  std::chrono::milliseconds pause{0};
};

// echo [-n] [TEXT ...]
Command parse_echo(const Invocation& in);
// echo_duplicate COUNT TEXT
Command parse_duplicate(const Invocation& in);
// echo_sleep SECONDS, with a fraction
Command parse_sleep(const Invocation& in);
// echo_location URI [ARGUMENTS], echo_exec likewise
Command parse_target(const Invocation& in, Command::Kind kind);

// The words with spaces between them.
std::string text_of(const Command& command, Exchange& x);

}  // namespace seawall::echo
