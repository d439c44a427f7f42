// B34: no module makes a route by being loaded. A route is a directive that somebody has written.
#include <filesystem>
#include <sstream>

#include "e2e/paths.h"
#include "security/attack.h"

using namespace test;

namespace {

std::string every_module() {
  std::string lines = "load_module " + probe_path() + ";\n";
  for (const auto& file : std::filesystem::directory_iterator(modules_path()))
    if (file.path().extension() == ".so") lines += "load_module " + file.path().string() + ";\n";
  return lines;
}

}  // namespace

TEST_CASE("every module loaded and an empty server: 404 on 500 paths that others answer") {
  Server s(every_module() + "events {} http { server { listen 127.0.0.1:%%PORT_0%%; } }");
  std::istringstream paths(read_file(tests_path() + "/security/well_known_paths.txt"));
  RawClient c(s.port());
  int n = 0;
  for (std::string path; std::getline(paths, path); ++n) {
    INFO(path);
    c.send(get_target(path));
    const Response r = c.read_response();
    CHECK(r.status == 404);
    CHECK(r.body == default_page("404 Not Found"));
    CHECK(r.headers.size() == 5);  // Server, Date, Content-Type, Content-Length, Connection
  }
  CHECK(n >= 500);
}

TEST_CASE("every module loaded and an empty server: no file of the root or the prefix either, and no method makes one") {
  Server s(every_module() + "events {} http { server { listen 127.0.0.1:%%PORT_0%%; } }",
           {{"html/index.html", "x"}, {"index.html", "x"}, {"html/a", "x"}});
  for (const char* path : {"/", "/index.html", "/a", "/html/a", "/nginx.conf", "/error.log"})
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "MKCOL", "PURGE"}) {
      INFO(method << " " << path);
      RawClient c(s.port());
      c.send(std::string(method) + " " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
      CHECK(c.read_response(std::string_view(method) == "HEAD").status == 404);
    }
}
