#include "seawall/process/environment.h"

#include <stdlib.h>

#include <utility>

namespace seawall {
namespace {

// Without a value: the one that it has.
void add(std::vector<std::pair<std::string, std::string>>& all, std::string_view said) {
  const auto sign = said.find('=');
  const std::string name(said.substr(0, sign));
  if (sign != std::string_view::npos) {
    all.emplace_back(name, said.substr(sign + 1));
  } else if (const char* value = ::getenv(name.c_str())) {
    all.emplace_back(name, value);
  }
}

}  // namespace

void restrict_environment(const std::vector<std::string>& said, std::span<const std::string_view> kept) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& one : said) add(all, one);
  for (const std::string_view name : kept) add(all, name);
  add(all, "TZ");
  ::clearenv();
  for (const auto& [name, value] : all) ::setenv(name.c_str(), value.c_str(), 0);  // said twice, the first counts
}

std::span<const std::string_view> kept_for_new_binary() {
  static constexpr std::string_view names[] = {
      "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
      "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
#endif
  };
  return names;
}

}  // namespace seawall
