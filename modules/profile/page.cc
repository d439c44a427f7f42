#include "page.h"

#include "seawall/base/text.h"

namespace seawall::profile {
namespace {

class Row {
 public:
  const char *path, *name, *what;
  const char *format = nullptr, *called = nullptr;  // one more
};
constexpr Row kRows[] = {
    {"profile?seconds=10", "CPU, 10 seconds", "what the threads of all loops are at, each 10 ms of their CPU time"},
    {"heap?", "Memory", "sampled allocations since the worker began: how much in all, how much in use"},
    {"lua?seconds=10", "Lua, 10 seconds", "what the scripts of one loop (loop=N) are at, by their own names"},
    {"tasks?", "Tasks", "what waits at this moment: connections, requests and coroutines, with their phase and how long they have left", "text", "text"},
    {"trace?seconds=10", "Trace, 10 seconds", "one loop (loop=N): how long each resumption of a coroutine took, and of which", "json", "events"},
};

std::string link_to(const std::string& base, const Row& row, const std::string& format, const char* called) {
  const char* const and_ = std::string_view(row.path).ends_with('?') ? "" : "&amp;";
  return "<a href=\"" + escape_html(base) + row.path + and_ + "format=" + format + "\">" + called + "</a>";
}

}  // namespace

std::string index_page(const std::string& base, int loops) {
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Profiles</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<style>:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:44rem;margin:2rem auto;padding:0 1rem}"
      "td{padding:.3rem 1rem .3rem 0;vertical-align:top}</style></head>\n<body><h1>Profiles</h1>\n<p>Of this worker, which has " +
      std::to_string(loops) + (loops == 1 ? " loop" : " loops") +
      ". The files are for <code>go tool pprof</code>, speedscope and their like.</p>\n<table>\n";
  for (const Row& row : kRows) {
    const std::string more = row.format ? link_to(base, row, row.format, row.called) + ", " : std::string();
    page += "<tr><td><b>" + std::string(row.name) + "</b></td><td>" + more + link_to(base, row, "svg", "flame graph") + ", " +
            link_to(base, row, "pprof", "file") + "</td><td>" + row.what + "</td></tr>\n";
  }
  return page + "</table>\n</body></html>\n";
}

}  // namespace seawall::profile
