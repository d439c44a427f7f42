// The commands and their parameters. Any loop.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "parser.h"

namespace seawall::ssi {

enum class CommandId : std::uint8_t { include, echo, config, set, if_, elif, else_, endif, block, endblock };

// What a token says, its parameters checked; throws CommandError (expression.h).
class Command {
 public:
  // Values longer than `longest` are refused.
  Command(const Token& token, std::size_t longest);
  // Null: it is not there.
  const std::string* find(std::string_view parameter) const;

  const std::string& name() const { return token_.command; }

  CommandId id;

 private:
  const Token& token_;
};

}  // namespace seawall::ssi
