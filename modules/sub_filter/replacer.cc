#include "replacer.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall::sub_filter {
namespace {

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

bool begins_alike(std::string_view text, std::string_view pattern, std::size_t n) {
  return std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n), pattern.begin(),
                    [](char a, char b) { return to_lower(a) == b; });
}

}  // namespace

Replacer::Replacer(std::vector<std::string> patterns, bool once, std::function<std::string(std::size_t)> replacement)
    : patterns_(std::move(patterns)), once_(once), make_replacement_(std::move(replacement)), replacements_(patterns_.size()),
      used_(patterns_.size()), left_(patterns_.size()) {
  for (const std::string& pattern : patterns_) {
    const char first = pattern.front();
    begins_[byte_of(first)] = true;
    if (is_alpha(first)) begins_[byte_of(first) & 0xdfu] = true;
  }
}

std::size_t Replacer::next_candidate(std::string_view text, std::size_t from) const {
  while (from < text.size() && !begins_[byte_of(text[from])]) ++from;
  return from;
}

Replacer::Match Replacer::match_at(std::string_view text, bool last, std::size_t& pattern) const {
  for (pattern = 0; pattern < patterns_.size(); ++pattern) {
    if (used_[pattern]) continue;
    const std::string& wanted = patterns_[pattern];
    if (!begins_alike(text, wanted, std::min(text.size(), wanted.size()))) continue;
    if (text.size() >= wanted.size()) return Match::whole;
    if (!last) return Match::maybe;
  }
  return Match::none;
}

std::string_view Replacer::replacement_of(std::size_t pattern) {
  auto& replacement = replacements_[pattern];
  if (!replacement) replacement = make_replacement_(pattern);
  return *replacement;
}

void Replacer::add(std::string_view text, bool last, std::string& out) {
  std::string joined;
  if (!kept_.empty()) {
    joined = std::move(kept_);
    kept_.clear();
    joined += text;
    text = joined;
  }
  std::size_t copied = 0, at = 0;
  while (left_ > 0 && (at = next_candidate(text, at)) < text.size()) {
    std::size_t pattern = 0;
    const Match match = match_at(text.substr(at), last, pattern);
    if (match == Match::maybe) break;
    if (match == Match::none) {
      ++at;
      continue;
    }
    out += text.substr(copied, at - copied);
    out += replacement_of(pattern);
    at += patterns_[pattern].size();
    copied = at;
    if (!once_) continue;
    used_[pattern] = true;
    --left_;
  }
  if (left_ == 0) at = text.size();
  out += text.substr(copied, at - copied);
  kept_ = text.substr(at);
}

}  // namespace seawall::sub_filter
