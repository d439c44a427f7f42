#include "seawall/server/file_conf.h"

#include "seawall/base/text.h"
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

// What follows `name` in `word`, when it begins so.
std::optional<std::string_view> parameter(std::string_view word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  return word.substr(name.size());
}

}  // namespace

OpenFileCache::OpenFileCache(const Invocation& in) {
  static int occurrences = 0;
  number = ++occurrences;
  bool off = false;
  for (const std::string& word : in.args()) {
    if (const auto text = parameter(word, "max=")) {
      if (const auto value = parse_decimal(*text); value && *value > 0 && *value <= INT32_MAX) {
        max = static_cast<std::size_t>(*value);
        continue;
      }
    } else if (const auto time = parameter(word, "inactive=")) {
      if (const auto value = time_of(*time)) {
        inactive = *value;
        continue;
      }
    } else if (word == "off") {
      off = true;
      continue;
    }
    throw ConfigError("invalid \"open_file_cache\" parameter \"" + word + "\"");
  }
  if (off) max = 0;
  else if (max == 0) throw ConfigError("\"open_file_cache\" must have the \"max\" parameter");
}

DisableSymlinks::DisableSymlinks(const Invocation& in) {
  bool has_rule = false;
  for (const std::string& word : in.args()) {
    if (const auto part = parameter(word, "from=")) {
      has_from = true;
      from = in.compile(*part);
      continue;
    }
    has_rule = true;
    if (word == "off") rule = Symlinks::followed;
    else if (word == "on") rule = Symlinks::refused;
    else if (word == "if_not_owner") rule = Symlinks::followed_if_owned;
    else throw ConfigError("invalid parameter \"" + word + "\"");
  }
  if (!has_rule) throw ConfigError("\"disable_symlinks\" must have \"off\", \"on\" or \"if_not_owner\" parameter");
  if (in.args().size() == 1) return;
  if (!has_from) throw ConfigError("duplicate parameters \"" + in.arg(0) + " " + in.arg(1) + "\"");
  if (rule == Symlinks::followed) throw ConfigError("\"from=\" cannot be used with \"off\" parameter");
}

namespace {

OpenFileCache parse_open_file_cache(const Invocation& in) { return OpenFileCache(in); }
DisableSymlinks parse_disable_symlinks(const Invocation& in) { return DisableSymlinks(in); }

using C = FileConf;
const Directive rows[] = {
    directive<C, OpenFileCache>("open_file_cache", kAllHttp, 1, 2, "off | max=N [inactive=time]", &C::open_file_cache,
                                parse_open_file_cache,
                                "Keeps what paths lead to: small contents, larger files open, folders, on each loop.", "off"),
    duration<C>("open_file_cache_valid", kAllHttp, &C::open_file_cache_valid, "How long without looking again."),
    number<C>("open_file_cache_min_uses", kAllHttp, &C::open_file_cache_min_uses,
              "From which use on, within the time of inactive, a file is kept."),
    flag<C>("open_file_cache_errors", kAllHttp, &C::open_file_cache_errors, "Keeps also what is not there."),
    directive<C, DisableSymlinks>("disable_symlinks", kAllHttp, 1, 2, "off | on | if_not_owner [from=part]",
                                  &C::disable_symlinks, parse_disable_symlinks,
                                  "Refuses paths with symbolic links behind that part, or with links to files of others.",
                                  "off"),
    flag<C>("sendfile", kAllHttp | kLocationIf, &C::sendfile,
            "Files over 64 KiB are sent without being read; off: for file systems that cannot (nginx's default)."),
};

}  // namespace

const std::span<const Directive> FilesModule::directives = rows;

}  // namespace seawall
