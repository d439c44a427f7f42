#include "seawall/upstream/match.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/upstream/protocol.h"

namespace seawall {
namespace {

[[noreturn]] void fail(const std::string& word) { throw ConfigError("invalid parameter \"" + word + "\""); }

int status_of(std::string_view text, const std::string& word) {
  const auto number = parse_decimal(text);
  if (!number || *number < 100 || *number > 999) fail(word);
  return static_cast<int>(*number);
}

}  // namespace

Match::Match(const Invocation& in) : name(in.arg(0)) {
  for (const Node& node : in.node.children) placed(node.place, [&] { add(node, in); });
}

void Match::add(const Node& node, const Invocation& in) {
  if (node.args.empty() || node.is_block) throw ConfigError("invalid number of arguments in \"" + node.name + "\" directive");
  if (node.name == "status") return add_status(node);
  if (node.name == "header") return add_field(node);
  if (node.name == "body") return add_body(node);
  if (node.name != "require") throw ConfigError("unknown directive \"" + node.name + "\"");
  for (const std::string& word : node.args) {
    if (!word.starts_with('$')) throw ConfigError("invalid variable name \"" + word + "\"");
    required_.push_back(in.compile(word));
  }
}

// status [!] CODE | FIRST-LAST ...
void Match::add_status(const Node& node) {
  std::size_t i = 0;
  if (node.args[0] == "!") not_statuses_ = ++i > 0;
  for (; i < node.args.size(); ++i) {
    const std::string_view word = node.args[i];
    const auto dash = word.find('-');
    const int first = status_of(word.substr(0, dash), node.args[i]);
    statuses_.emplace_back(first, dash == std::string_view::npos ? first : status_of(word.substr(dash + 1), node.args[i]));
  }
}

void Match::add_field(const Node& node) {
  Field field;
  if (node.args[0] == "!" && node.args.size() == 2) {
    field.name = node.args[1];
    field.test = Field::Test::absent;
  } else {
    field.name = node.args[0];
    if (node.args.size() == 2 || node.args.size() > 3) fail(node.args[1]);
    if (node.args.size() == 3) {
      const std::string& how = node.args[1];
      field.value = node.args[2];
      if (how == "=") field.test = Field::Test::equal;
      else if (how == "!=") field.test = Field::Test::other;
      else if (how == "~") field.test = Field::Test::like;
      else if (how == "!~") field.test = Field::Test::unlike;
      else fail(how);
      if (how.ends_with('~')) field.regex = Regex::compile(field.value);
    }
  }
  fields_.push_back(std::move(field));
}

void Match::add_body(const Node& node) {
  if (node.args.size() != 2 || (node.args[0] != "~" && node.args[0] != "!~")) fail(node.args[0]);
  Body& body = bodies_.emplace_back();
  body.unlike = node.args[0] == "!~";
  body.regex = Regex::compile(node.args[1]);
}

bool Match::has_status(int status) const {
  return std::any_of(statuses_.begin(), statuses_.end(), [status](const auto& range) { return status >= range.first && status <= range.second; });
}

bool Match::holds(const Field& field, const UpstreamHead& head) {
  bool there = false, equal = false, like = false;
  for (const auto& one : head.headers.all()) {
    if (!equals_ignoring_case(one.name, field.name)) continue;
    there = true;
    equal = equal || one.value == field.value;
    like = like || (field.regex && field.regex->match(one.value) == Regex::Outcome::matched);
  }
  switch (field.test) {
    case Field::Test::there: return there;
    case Field::Test::absent: return !there;
    case Field::Test::equal: return equal;
    case Field::Test::other: return !equal;
    case Field::Test::like: return like;
    case Field::Test::unlike: return !like;
  }
  return false;
}

std::string Match::fault(Exchange& x, const UpstreamHead& head, std::string_view body) const {
  const bool any = fields_.empty() && bodies_.empty() && required_.empty() && statuses_.empty();
  if (any && (head.status < 200 || head.status > 399)) return "checking status code";
  if (!statuses_.empty() && has_status(head.status) == not_statuses_) return "checking status code";
  for (const Field& field : fields_)
    if (!holds(field, head)) return "checking header \"" + field.name + "\"";
  for (const Body& one : bodies_)
    if ((one.regex->match(body) == Regex::Outcome::matched) == one.unlike) return "checking response body";
  for (const Template& variable : required_)
    if (const std::string value = variable.eval(x); value.empty() || value == "0") return "checking variables";
  return {};
}

}  // namespace seawall
