#include "command.h"

#include <algorithm>
#include <array>

#include "expression.h"

namespace seawall::ssi {
namespace {

class Parameter {
 public:
  const char* name = nullptr;
  bool mandatory = false;
};

class Row {
 public:
  const char* name;
  CommandId id;
  std::array<Parameter, 5> parameters;
};

constexpr Row rows[] = {
    {"include", CommandId::include, {{{"virtual"}, {"file"}, {"wait"}, {"set"}, {"stub"}}}},
    {"echo", CommandId::echo, {{{"var", true}, {"default"}, {"encoding"}}}},
    {"config", CommandId::config, {{{"errmsg"}, {"timefmt"}}}},
    {"set", CommandId::set, {{{"var", true}, {"value", true}}}},
    {"if", CommandId::if_, {{{"expr", true}}}},
    {"elif", CommandId::elif, {{{"expr", true}}}},
    {"else", CommandId::else_, {}},
    {"endif", CommandId::endif, {}},
    {"block", CommandId::block, {{{"name", true}}}},
    {"endblock", CommandId::endblock, {}},
};

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

const Row& row_of(const Token& token) {
  if (token.kind == Token::Kind::broken) throw CommandError("invalid SSI command: " + in_quotes(token.text));
  const auto* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return token.command == r.name; });
  if (row == std::end(rows)) throw CommandError("invalid SSI command: " + in_quotes(token.command));
  return *row;
}

}  // namespace

Command::Command(const Token& token, std::size_t longest) : token_(token) {
  const Row& row = row_of(token);
  id = row.id;
  const std::string in = " in " + in_quotes(token.command) + " SSI command";
  const auto knows = [&](const std::string& name) {
    return std::any_of(row.parameters.begin(), row.parameters.end(),
                       [&](const Parameter& p) { return p.name && name == p.name; });
  };
  for (auto it = token.parameters.begin(); it != token.parameters.end(); ++it) {
    if (!knows(it->first)) throw CommandError("invalid parameter name: " + in_quotes(it->first) + in);
    const auto is_same = [&](const auto& other) { return other.first == it->first; };
    if (std::any_of(token.parameters.begin(), it, is_same))
      throw CommandError("duplicate " + in_quotes(it->first) + " parameter" + in);
    if (it->second.size() > longest) throw CommandError("too long value of " + in_quotes(it->first) + " parameter" + in);
  }
  for (const Parameter& p : row.parameters)
    if (p.mandatory && !find(p.name)) throw CommandError("mandatory " + in_quotes(p.name) + " parameter is absent" + in);
}

const std::string* Command::find(std::string_view parameter) const {
  for (const auto& [name, value] : token_.parameters)
    if (name == parameter) return &value;
  return nullptr;
}

}  // namespace seawall::ssi
