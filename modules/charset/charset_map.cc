#include "charset_map.h"

#include "recoder.h"
#include "seawall/base/text.h"

namespace seawall::charset {
namespace {

[[noreturn]] void invalid(const std::string& word, const Node& row) {
  throw ConfigError("invalid value \"" + word + "\"", row.place);
}

char byte_of(const std::string& word, const Node& row) {
  const auto value = parse_hex(word);
  if (!value || *value > 255) invalid(word, row);
  return static_cast<char>(*value);
}

// One character of UTF-8, written as its bytes.
std::string character_of(const std::string& word, const Node& row) {
  std::string bytes;
  if (word.size() % 2 != 0 || word.empty() || word.size() > 8) invalid(word, row);
  for (std::size_t i = 0; i < word.size(); i += 2) bytes.push_back(byte_of(word.substr(i, 2), row));
  return bytes;
}

}  // namespace

CharsetMap::CharsetMap(const Invocation& in) : from(in.arg(0)), to(in.arg(1)), to_utf8(equals_ignoring_case(to, "utf-8")) {
  if (equals_ignoring_case(from, to))
    throw ConfigError("\"charset_map\" between the same charsets \"" + from + "\" and \"" + to + "\"");
  for (int byte = 0; byte < 256; ++byte) {
    const char same = static_cast<char>(byte < 128 ? byte : '?');
    forth[static_cast<std::size_t>(byte)] = std::string(1, same);
    back[static_cast<std::size_t>(byte)] = same;
  }
  for (const Node& row : in.node.children) add(row);
}

void CharsetMap::add(const Node& row) {
  if (row.args.size() != 1) throw ConfigError("invalid parameters number", row.place);
  const char byte = byte_of(row.name, row);
  std::string& bytes = forth[static_cast<unsigned char>(byte)];
  if (!to_utf8) {
    bytes = std::string(1, byte_of(row.args[0], row));
    back[static_cast<unsigned char>(bytes[0])] = byte;
    return;
  }
  bytes = character_of(row.args[0], row);
  std::string_view rest = bytes;
  const auto character = next_character(rest);
  if (!character || !rest.empty()) invalid(row.args[0], row);
  back_from_utf8[*character] = byte;
}

}  // namespace seawall::charset
