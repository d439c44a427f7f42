// A compiled PCRE2 pattern (JIT where the library has it) and what a match captured. Compiled at start-up, matched on any
// loop (each thread has its own match data; match limits are set, so that no pattern burns a loop).
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

// The groups of the last match, as offsets into an owned copy of the subject: later changes of the URI cannot pull the
// text away under them.
class SEAWALL_API Captures {
 public:
  std::string_view get(int group) const;  // 0 is the whole match; empty for a group that took no part
  bool has(int group) const;
  int count() const { return static_cast<int>(groups_.size()); }
  void clear() { groups_.clear(); }

 private:
  friend class Regex;
  std::string subject_;
  std::vector<std::pair<std::size_t, std::size_t>> groups_;  // begin, end; npos, npos: no part
};

class SEAWALL_API Regex {
 public:
  // Throws ConfigError: pcre2_compile() failed: ... in "pattern" at "rest" (nginx's wording).
  static std::shared_ptr<const Regex> compile(const std::string& pattern, bool caseless = false);
  // failed: a match limit was hit.
  enum class Outcome { matched, no_match, failed };
  Outcome match(std::string_view subject, Captures* captures = nullptr) const;
  const std::string& pattern() const { return pattern_; }
  bool caseless() const { return caseless_; }
  int groups() const { return groups_; }
  const std::vector<std::pair<std::string, int>>& names() const { return names_; }  // (?<name>...) and its number
  ~Regex();

 private:
  Regex() = default;
  std::string pattern_;
  bool caseless_ = false;
  void* code_ = nullptr;  // pcre2_code*
  int groups_ = 0;
  std::vector<std::pair<std::string, int>> names_;
};

}  // namespace seawall
