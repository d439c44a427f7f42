#include "condition.h"

#include <sys/stat.h>

#include <cerrno>

#include "rewrite.h"
#include "seawall/config/binder.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/open_file.h"

namespace seawall::rewrite {
namespace {

[[noreturn]] void refuse(const std::string& word) { throw ConfigError("invalid condition \"" + word + "\""); }

// The words between the brackets, which may stand alone or touch their neighbours.
std::vector<std::string> without_brackets(std::vector<std::string> words) {
  if (!words.front().starts_with('(')) refuse(words.front());
  words.front().erase(0, 1);
  if (!words.back().ends_with(')')) refuse(words.back());
  words.back().pop_back();
  if (words.back().empty()) words.pop_back();
  if (!words.empty() && words.front().empty()) words.erase(words.begin());
  if (words.empty()) refuse("");
  return words;
}

}  // namespace

Condition::Condition(const Invocation& in) {
  const std::vector<std::string> words = without_brackets(in.args());
  const std::string& first = words.front();
  if (first.size() > 1 && first[0] == '$') read_comparison(in, words);
  else if (first.starts_with('-') || first.starts_with("!-")) read_file_test(in, words);
  else refuse(first);
}

void Condition::read_comparison(const Invocation& in, const std::vector<std::string>& words) {
  if (words.size() != 1 && words.size() != 3) refuse(words.front());
  value_ = in.compile(words[0]);
  if (words.size() == 1) return;
  std::string op = words[1];
  negated_ = op.size() > 1 && op[0] == '!';
  if (negated_) op.erase(0, 1);
  if (op == "=") {
    kind_ = Kind::equals;
    other_ = in.compile(words[2]);
  } else if (op == "~" || op == "~*") {
    kind_ = Kind::matches;
    regex_ = Regex::compile(words[2], op == "~*");
    define_named_captures(*regex_, in.binder.variables());
  } else {
    throw ConfigError("unexpected \"" + words[1] + "\" in condition");
  }
}

void Condition::read_file_test(const Invocation& in, const std::vector<std::string>& words) {
  if (words.size() != 2) refuse(words.front());
  std::string_view op = words[0];
  negated_ = op[0] == '!';
  op.remove_prefix(negated_ ? 2 : 1);
  if (op == "f") kind_ = Kind::is_file;
  else if (op == "d") kind_ = Kind::is_folder;
  else if (op == "e") kind_ = Kind::exists;
  else if (op == "x") kind_ = Kind::is_executable;
  else refuse(words[0]);
  value_ = in.compile(words[1]);
}

Condition::Answer Condition::ask(Exchange& x) const {
  const std::string value = value_.eval(x);
  bool holds = false;
  switch (kind_) {
    case Kind::is_true: holds = !value.empty() && value != "0"; break;
    case Kind::equals: holds = value == other_.eval(x); break;
    case Kind::matches: return match(x, value);
    default: holds = test_path(x, value);
  }
  return holds != negated_ ? Answer::yes : Answer::no;
}

Condition::Answer Condition::match(Exchange& x, const std::string& value) const {
  const auto outcome = regex_->match(value, &x.captures);
  if (outcome == Regex::Outcome::failed) {
    x.log(Level::error, "a match limit was hit by \"" + regex_->pattern() + "\"");
    return Answer::failed;
  }
  const bool matched = outcome == Regex::Outcome::matched;
  if (matched) keep_named_captures(x, *regex_, x.captures);
  else x.captures.clear();  // as in nginx: $1 of an earlier match is gone
  if (*x.conf<Rewrite>().log)
    x.log(Level::notice, "\"" + regex_->pattern() + "\" " + (matched ? "matches" : "does not match") + " \"" + value + "\"");
  return matched != negated_ ? Answer::yes : Answer::no;
}

// A path with a NUL names nothing, whatever stands before the NUL.
bool Condition::test_path(Exchange& x, const std::string& path) const {
  if (path.empty() || path.find('\0') != path.npos) return false;
  const Ref<File> file = test_file(x, path);
  const int error = file->error();
  if (error != 0 && error != ENOENT && error != ENOTDIR && error != ENAMETOOLONG) x.log(Level::crit, file->failure(path));
  if (error != 0) return false;
  switch (kind_) {
    case Kind::is_file: return file->is_regular();
    case Kind::is_folder: return file->is_directory();
    case Kind::is_executable: return (file->stamp().mode & S_IXUSR) != 0;
    default: return true;
  }
}

}  // namespace seawall::rewrite
