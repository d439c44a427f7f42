// Recoder: the text of one charset in another, piece by piece; and the reading of UTF-8. One loop.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::charset {

class CharsetMap;

// The first character of UTF-8 text, which is then behind it. Nothing: what begins there is none; `text` stays.
std::optional<std::uint32_t> next_character(std::string_view& text);

class Recoder {
 public:
  enum class Way { forth, back };
  // `map` outlives the Recoder.
  Recoder(const CharsetMap& map, Way way) : map_(&map), way_(way) {}
  // A character that the other charset lacks becomes &#NUMBER;, bytes that are no character "?". The beginning of a
  // character waits for its rest, unless this is the `last` text.
  void add(std::string_view text, bool last, std::string& out);
  bool keeps_length() const;

 private:
  void from_utf8(std::string_view text, bool last, std::string& out);

  const CharsetMap* map_;
  Way way_;
  std::string kept_;
};

}  // namespace seawall::charset
