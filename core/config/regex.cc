#define PCRE2_CODE_UNIT_WIDTH 8
#include "seawall/config/regex.h"

#include <pcre2.h>

#include "seawall/base/check.h"
#include "seawall/base/text.h"
#include "seawall/config/tree.h"

namespace seawall {
namespace {

// Backtracking steps of one match: no pattern holds a loop for longer than some milliseconds.
constexpr std::uint32_t kMatchLimit = 1'000'000;

// One thread's room for a match.
class MatchData {
 public:
  MatchData() : data_(pcre2_match_data_create(kGroups, nullptr)), context_(pcre2_match_context_create(nullptr)) {
    CHECK(data_ && context_);
    pcre2_set_match_limit(context_, kMatchLimit);
  }
  ~MatchData() {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
  }
  pcre2_match_data* data() const { return data_; }
  pcre2_match_context* context() const { return context_; }

 private:
  static constexpr std::uint32_t kGroups = 64;
  pcre2_match_data* data_;
  pcre2_match_context* context_;
};

MatchData& match_data() {
  thread_local MatchData data;
  return data;
}

}  // namespace

std::string_view Captures::get(int group) const {
  if (!has(group)) return {};
  const auto [begin, end] = groups_[static_cast<std::size_t>(group)];
  return std::string_view(subject_).substr(begin, end - begin);
}

bool Captures::has(int group) const {
  return group >= 0 && group < count() && groups_[static_cast<std::size_t>(group)].first != std::string::npos;
}

std::shared_ptr<const Regex> Regex::compile(const std::string& pattern, bool caseless) {
  int error;
  PCRE2_SIZE offset;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   caseless ? PCRE2_CASELESS : 0, &error, &offset, nullptr);
  if (!code) {
    PCRE2_UCHAR text[128];
    pcre2_get_error_message(error, text, sizeof text);
    const std::string why = "pcre2_compile() failed: " + std::string(reinterpret_cast<char*>(text)) + " in \"" + pattern + "\"";
    throw ConfigError(offset == pattern.size() ? why : why + " at \"" + pattern.substr(offset) + "\"");
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without JIT the interpreter serves
  std::shared_ptr<Regex> regex(new Regex);
  regex->pattern_ = pattern;
  regex->caseless_ = caseless;
  regex->code_ = code;
  std::uint32_t groups, names, size;
  PCRE2_SPTR table;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &names);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  regex->groups_ = static_cast<int>(groups);
  for (std::uint32_t i = 0; i < names; ++i, table += size)
    regex->names_.emplace_back(lower(reinterpret_cast<const char*>(table + 2)), table[0] << 8 | table[1]);  // as variables are
  return regex;
}

Regex::~Regex() { pcre2_code_free(static_cast<pcre2_code*>(code_)); }

Regex::Outcome Regex::match(std::string_view subject, Captures* captures) const {
  const MatchData& room = match_data();
  const char* at = subject.data() ? subject.data() : "";
  const int n = pcre2_match(static_cast<pcre2_code*>(code_), reinterpret_cast<PCRE2_SPTR>(at), subject.size(), 0, 0,
                            room.data(), room.context());
  if (n == PCRE2_ERROR_NOMATCH) return Outcome::no_match;
  if (n < 0) return Outcome::failed;
  if (!captures) return Outcome::matched;
  captures->subject_ = subject;
  captures->groups_.clear();
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(room.data());
  const std::uint32_t pairs =
      std::min<std::uint32_t>(pcre2_get_ovector_count(room.data()), static_cast<std::uint32_t>(groups_) + 1);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const bool took_part = (n == 0 || i < static_cast<std::uint32_t>(n)) && ends[2 * i] != PCRE2_UNSET;
    captures->groups_.emplace_back(took_part ? ends[2 * i] : std::string::npos,
                                   took_part ? ends[2 * i + 1] : std::string::npos);
  }
  return Outcome::matched;
}

}  // namespace seawall
