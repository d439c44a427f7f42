#include "command.h"

#include <cstdlib>

#include "seawall/base/text.h"

namespace seawall::echo {
namespace {

// What a location may be made to say by a number: nobody needs more of one word.
constexpr std::uint64_t kMostCopies = 100'000'000;

}  // namespace

Command parse_echo(const Invocation& in) {
  Command command(Command::Kind::text);
  bool options = true;
  for (const std::string& word : in.args()) {
    if (options && word == "-n") {
      command.newline = false;
      continue;
    }
    if (options && word == "--") {
      options = false;
      continue;
    }
    options = false;
    command.words.push_back(in.compile(word));
  }
  return command;
}

Command parse_duplicate(const Invocation& in) {
  Command command(Command::Kind::duplicate);
  std::string digits;
  for (const char c : in.arg(0))
    if (c != '_') digits.push_back(c);
  const auto count = parse_decimal(digits);
  if (!count || *count > kMostCopies) throw ConfigError("invalid size specified: \"" + in.arg(0) + "\"");
  command.count = static_cast<std::int64_t>(*count);
  command.words.push_back(in.compile(in.arg(1)));
  return command;
}

Command parse_sleep(const Invocation& in) {
  Command command(Command::Kind::sleep);
  char* end = nullptr;
  const double seconds = std::strtod(in.arg(0).c_str(), &end);
  if (in.arg(0).empty() || *end != '\0' || !(seconds >= 0) || seconds > 1e6)
    throw ConfigError("invalid sleep duration \"" + in.arg(0) + "\"");
  command.pause = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  return command;
}

Command parse_target(const Invocation& in, Command::Kind kind) {
  Command command(kind);
  for (const std::string& word : in.args()) command.words.push_back(in.compile(word));
  return command;
}

std::string text_of(const Command& command, Exchange& x) {
  std::string text;
  for (const Template& word : command.words) {
    if (&word != &command.words.front()) text += ' ';
    word.append(x, text);
  }
  if (command.newline) text += '\n';
  return text;
}

}  // namespace seawall::echo
