#include "recoder.h"

#include "charset_map.h"

namespace seawall::charset {
namespace {

// By the first byte: the bytes of a character of UTF-8; 0: no character begins so (RFC 3629 3).
std::size_t length_by(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

// May `text` grow into a character?
bool is_beginning(std::string_view text) {
  if (text.size() >= length_by(static_cast<unsigned char>(text[0]))) return false;
  for (const char c : text.substr(1))
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return false;
  return true;
}

}  // namespace

std::optional<std::uint32_t> next_character(std::string_view& text) {
  static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (text.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = length_by(first);
  if (length == 0 || text.size() < length) return std::nullopt;
  std::uint32_t character = length == 1 ? first : first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    character = character << 6 | (byte & 0x3fu);
  }
  if (character < least[length] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000)) return std::nullopt;
  text.remove_prefix(length);
  return character;
}

bool Recoder::keeps_length() const { return !map_->to_utf8; }

void Recoder::add(std::string_view text, bool last, std::string& out) {
  if (way_ == Way::back && map_->to_utf8) return from_utf8(text, last, out);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (way_ == Way::back) out.push_back(map_->back[byte]);
    else out += map_->forth[byte];
  }
}

void Recoder::from_utf8(std::string_view text, bool last, std::string& out) {
  std::string joined;
  if (!kept_.empty()) {
    joined = std::move(kept_);
    kept_.clear();
    joined += text;
    text = joined;
  }
  while (!text.empty()) {
    if (const auto character = next_character(text)) {
      const auto found = map_->back_from_utf8.find(*character);
      if (found != map_->back_from_utf8.end()) out.push_back(found->second);
      else if (*character < 0x80) out.push_back(static_cast<char>(*character));
      else out.append("&#").append(std::to_string(*character)).append(";");
    } else if (!last && is_beginning(text)) {
      kept_ = text;
      return;
    } else {
      out.push_back('?');
      text.remove_prefix(1);
      while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xc0) == 0x80) text.remove_prefix(1);
    }
  }
}

}  // namespace seawall::charset
