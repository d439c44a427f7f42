// A browser: Debian's headless Chromium. Skipped where there is none.
#include <cstdio>
#include <cstdlib>

#include "catch.h"
#include "e2e/times_in.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// The program; empty where there is none.
std::string browser() {
  for (const char* name : {"chromium-headless-shell", "chromium"})
    if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0) return name;
  WARN("no Chromium: skipped");
  return {};
}

class Visit {
 public:
  std::string page, log;
};

// The page as its scripts have left it, once everything is loaded, and what the browser has to say about that.
Visit visit(const Server& s, const std::string& program, const std::string& url) {
  const std::string command = "cd " + s.folder() + " && HOME=" + s.folder() + " timeout 60 " + program +
                              " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --ignore-certificate-errors --enable-logging=stderr"
                              " --user-data-dir=" + s.folder() + "/profile --virtual-time-budget=30000 --dump-dom " + url + " > page 2> log";
  CHECK(std::system(command.c_str()) == 0);
  return {s.read("page"), s.read("log")};
}

constexpr int kAssets = 100;

// A page with a hundred scripts, styles and images, which says how many of each it has got.
std::string page() {
  std::string text = "<!DOCTYPE html><title>0</title><link rel=icon href=\"data:,\">\n<script>var scripts = 0, pictures = 0, wrong = 0;</script>\n";
  for (int i = 0; i < kAssets / 2; ++i) {
    text += "<script src=\"/asset/" + std::to_string(i) + ".js\" onerror=\"wrong++\"></script>\n";
    text += "<img src=\"/asset/" + std::to_string(i) + ".svg\" onload=\"pictures++\" onerror=\"wrong++\">\n";
  }
  return text + "<script>onload = () => { document.body.innerHTML = scripts + ' scripts, ' + pictures + ' images, ' + wrong + ' wrong'; };</script>\n";
}

Files site() {
  Files files{{"html/index.html", page()}};
  for (int i = 0; i < kAssets / 2; ++i) {
    // Of several sizes, so that streams overlap.
    files.emplace_back("html/asset/" + std::to_string(i) + ".js", "scripts++; // " + std::string(std::size_t(i) * 997, 'x') + "\n");
    files.emplace_back("html/asset/" + std::to_string(i) + ".svg",
                       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"><!-- " + std::string(std::size_t(i) * 499, 'y') + " --></svg>\n");
  }
  add(files, "a", make_certificate({"localhost"}));
  return files;
}

}  // namespace

TEST_CASE("a page with a hundred assets loads in Chromium over HTTP/2, and the console stays empty") {
  const std::string program = browser();
  if (program.empty()) return;
  Server s(R"(log_format seen "$server_protocol $status $uri";
server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; root %%DIR%%/html;
  types { text/html html; text/javascript js; image/svg+xml svg; } access_log %%DIR%%/seen.log seen; })", site());
  const Visit visited = visit(s, program, s.tls_url("/"));
  CHECK_THAT(visited.page, ContainsSubstring("50 scripts, 50 images, 0 wrong"));
  CHECK_THAT(visited.log, !ContainsSubstring("CONSOLE"));
  const auto good = [&] { return times_in(s.read("seen.log"), "HTTP/2.0 200 /"); };
  CHECK(wait_until([&] { return good() == kAssets + 1; }));
}
