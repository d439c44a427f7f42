#include "command.h"

#include <cstdlib>

#include "seawall/base/text.h"
#include "seawall/server/exchange.h"

namespace seawall::echo {
namespace {

// What a location may be made to say by a number: nobody needs more of one word.
constexpr std::uint64_t kMostCopies = 100'000'000;

std::optional<std::chrono::milliseconds> seconds_of(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(seconds >= 0) || seconds > 1e6) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

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
  Template value = in.compile(in.arg(0));
  if (!value.is_literal()) {
    command.words.push_back(std::move(value));
    return command;
  }
  const auto pause = seconds_of(in.arg(0));
  if (!pause) throw ConfigError("invalid sleep duration \"" + in.arg(0) + "\"");
  command.pause = *pause;
  return command;
}

std::optional<std::chrono::milliseconds> pause_of(const Command& command, Exchange& x) {
  if (command.words.empty()) return command.pause;
  const std::string text = command.words[0].eval(x);
  const auto pause = seconds_of(text);
  if (!pause) x.log(Level::error, "invalid sleep duration \"" + text + "\"");
  return pause;
}

Command parse_target(const Invocation& in, Command::Kind kind) {
  Command command(kind);
  for (const std::string& word : in.args()) command.words.push_back(in.compile(word));
  return command;
}

Target target_of(const Command& command, Exchange& x) {
  Target target;
  target.uri = command.words[0].eval(x);
  if (command.words.size() > 1) target.args = command.words[1].eval(x);
  const auto query = target.uri.find('?');
  if (target.uri.starts_with('@') || query == std::string::npos) return target;
  if (target.args.empty()) target.args = target.uri.substr(query + 1);
  target.uri.resize(query);
  return target;
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
