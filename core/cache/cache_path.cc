#include "seawall/cache/cache_path.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/server/worker_folders.h"

namespace seawall {
namespace {

constexpr std::size_t kSmallestZone = 2 * 4096;
// What an entry takes in nginx's zone: sizes that fit nginx fit here, and the zone is full when nginx's is.
constexpr std::size_t kEntry = 128;

[[noreturn]] void throw_invalid(const char* what, const std::string& word) {
  throw ConfigError(std::string("invalid ") + what + " \"" + word + "\"");
}

std::vector<std::size_t> parse_levels(const std::string& word) {
  const std::string_view text = std::string_view(word).substr(7);
  std::vector<std::size_t> levels;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const bool fits = (text[i] == '1' || text[i] == '2') && levels.size() < 3;
    if (!fits || (i + 1 < text.size() && (text[i + 1] != ':' || i + 2 == text.size()))) throw_invalid("\"levels\"", word);
    levels.push_back(static_cast<std::size_t>(text[i] - '0'));
  }
  return levels;
}

std::int64_t parse_bytes(const char* what, const std::string& word) {
  const auto bytes = size_of(std::string_view(word).substr(word.find('=') + 1));
  if (!bytes) throw_invalid(what, word);
  return *bytes;
}

void read_pace(CachePace& pace, const std::string& prefix, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::string_view value = std::string_view(word).substr(name.size() + 1);
  const std::string what = name + " value";
  if (name == prefix + "files") {
    const auto files = parse_decimal(value);
    if (!files || *files > INT32_MAX) throw_invalid(what.c_str(), word);
    pace.files = static_cast<std::int64_t>(*files);
    return;
  }
  const auto time = time_of(value);
  if (!time) throw_invalid(what.c_str(), word);
  (name == prefix + "sleep" ? pace.sleep : pace.threshold) = *time;
}

bool is_pace(const std::string& word, const std::string& prefix) {
  return word.starts_with(prefix + "files=") || word.starts_with(prefix + "sleep=") || word.starts_with(prefix + "threshold=");
}

}  // namespace

void CachePath::read_zone(const Invocation& in, const std::string& word) {
  const std::string value = word.substr(10);
  const auto colon = value.find(':');
  const auto size = colon == std::string::npos ? std::nullopt : size_of(std::string_view(value).substr(colon + 1));
  if (!size || colon == 0) throw_invalid("keys zone size", word);
  const auto bytes = static_cast<std::size_t>(*size);
  if (bytes < kSmallestZone) throw ConfigError("keys zone \"" + word + "\" is too small");
  // The table, the pages' own descriptions and what an entry costs here come on top.
  const std::size_t memory = bytes + bytes / 2 + SharedZone::kSmallest;
  if (memory > SharedZone::kLargest) throw ConfigError("keys zone \"" + word + "\" is too large");
  capacity = std::max<std::size_t>((bytes - kSmallestZone) / kEntry, 16);
  Zone& declared = in.binder.zones().get(value.substr(0, colon), memory, kUse, in.node.place);
  if (declared.data) throw ConfigError("duplicate zone \"" + declared.name + "\"");
  zone = &declared;
}

void CachePath::read(const Invocation& in, const std::string& word) {
  if (word.starts_with("levels=")) {
    levels = parse_levels(word);
  } else if (word.starts_with("keys_zone=")) {
    read_zone(in, word);
  } else if (word.starts_with("use_temp_path=")) {
    const std::string value = word.substr(14);
    if (value != "on" && value != "off") throw ConfigError("invalid use_temp_path value \"" + word + "\", it must be \"on\" or \"off\"");
    use_temp_path = value == "on";
  } else if (word.starts_with("inactive=")) {
    const auto time = time_of(std::string_view(word).substr(9));
    if (!time) throw_invalid("inactive value", word);
    inactive = std::chrono::duration_cast<std::chrono::seconds>(*time);
  } else if (word.starts_with("max_size=")) {
    max_size = parse_bytes("max_size value", word);
  } else if (word.starts_with("min_free=")) {
    min_free = parse_bytes("min_free value", word);
  } else if (is_pace(word, "loader_")) {
    read_pace(loader, "loader_", word);
  } else if (is_pace(word, "manager_")) {
    read_pace(manager, "manager_", word);
  } else {
    throw ConfigError("invalid parameter \"" + word + "\"");
  }
}

namespace {

// A zone that a configuration before has left knows the files of its folder.
void check_folder(Zone& zone) {
  const CachePath& path = *static_cast<const CachePath*>(zone.data.get());
  std::string text = path.folder;
  for (const std::size_t digits : path.levels) text += ":" + std::to_string(digits);
  if (!zone.memory().note_as(text))
    throw ConfigError("cache \"" + zone.name + "\" uses the \"" + text + "\" cache path while previously it used the \"" +
                      zone.memory().note() + "\" cache path");
}

}  // namespace

std::shared_ptr<const CachePath> CachePath::declare(const Invocation& in) {
  auto path = std::make_shared<CachePath>();
  path->folder = in.prefixed(in.arg(0));
  while (path->folder.size() > 1 && path->folder.ends_with('/')) path->folder.pop_back();
  note_worker_folder(path->folder);
  for (std::size_t i = 1; i < in.args().size(); ++i) path->read(in, in.arg(i));
  if (!path->zone) throw ConfigError("\"" + in.node.name + "\" must have \"keys_zone\" parameter");
  Zone& zone = in.binder.zones().get(path->zone->name, 0, kUse, in.node.place);
  zone.data = path;
  zone.opened = check_folder;
  return path;
}

// The folders are named by the last digits, as nginx's.
std::string CachePath::file_of(const CacheHash& hash) const {
  const std::string name = hash.hex();
  std::string path;
  path.reserve(folder.size() + 8 + name.size());
  path.append(folder);
  std::size_t end = name.size();
  for (const std::size_t digits : levels) {
    end -= digits;
    path.append("/").append(name, end, digits);
  }
  return path.append("/").append(name);
}

}  // namespace seawall
