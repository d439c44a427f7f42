// Replacer: exchanges strings in text that comes piece by piece. What may be the beginning of a match is kept back until the
// next piece. One loop.
//
//   Replacer replacer({"<head>"}, true, [](std::size_t) { return "<head><base>"; });
//   replacer.add(piece, last, out);
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::sub_filter {

class Replacer {
 public:
  // Patterns are in lower case and match in any; the earliest match wins, at the same place the first pattern. `once`: each
  // pattern only the first time. `replacement` is asked once for each pattern that matches.
  Replacer(std::vector<std::string> patterns, bool once, std::function<std::string(std::size_t)> replacement);

  void add(std::string_view text, bool last, std::string& out);
  // Nothing will ever be exchanged any more, and nothing is kept back.
  bool is_idle() const { return left_ == 0 && kept_.empty(); }

 private:
  enum class Match { none, whole, maybe };
  Match match_at(std::string_view text, bool last, std::size_t& pattern) const;
  std::size_t next_candidate(std::string_view text, std::size_t from) const;
  std::string_view replacement_of(std::size_t pattern);

  std::vector<std::string> patterns_;
  bool once_;
  std::function<std::string(std::size_t)> make_replacement_;
  std::vector<std::optional<std::string>> replacements_;
  std::vector<bool> used_;
  std::size_t left_;                        // patterns that may still match
  std::array<bool, 256> begins_{};          // bytes with which one does
  std::string kept_;
};

}  // namespace seawall::sub_filter
