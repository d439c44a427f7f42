// error_log format=json, request_id and rate=: lines for programs, of one request, and not too many of a kind.
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

std::string failing(const std::string& directives) {
  return "access_log off; root %%DIR%%/html; server { listen 127.0.0.1:%%PORT_0%%; server_name first.test; " + directives + " }";
}

// Each line of the file, which must be an object.
std::vector<json> objects(const Server& s, const std::string& file) {
  std::vector<json> all;
  std::istringstream lines(s.read(file));
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    all.push_back(json::parse(line));
  }
  return all;
}

}  // namespace

TEST_CASE("error_log format=json: each line is an object that names the request") {
  Server s(failing("error_log a.json info format=json; location / { add_header X-Id $request_id always; }"));
  const Response r = get(s.url("/caf%c3%a9%e9%22%0a?q"), {"Host: a.test", "Referer: http://r.test/"});
  REQUIRE(r.status == 404);
  REQUIRE(s.wait_for_log("html/", "a.json"));
  const auto lines = objects(s, "a.json");
  REQUIRE(lines.size() == 1);
  const json& line = lines[0];
  CHECK(line["level"] == "error");
  CHECK(line["message"] == "open() \"" + s.folder() + "/html/caf\xc3\xa9\\xE9\"\\x0A\" failed (2: No such file or directory)");
  CHECK(line["client"] == "127.0.0.1");
  CHECK(line["server"] == "first.test");
  CHECK(line["request"] == "GET /caf%c3%a9%e9%22%0a?q HTTP/1.1");
  CHECK(line["host"] == "a.test");
  CHECK(line["referrer"] == "http://r.test/");
  CHECK(line["connection"] == 1);
  CHECK(line["request_id"] == r.header("X-Id"));
}

TEST_CASE("error_log format=json: lines of connections and of the process are objects, too") {
  Server s("error_log main.json notice format=json;\nevents {}\nhttp { " + failing("error_log a.json info format=json;") + " }");
  RawClient(s.port()).send("BAD\r\n\r\n");
  REQUIRE(s.wait_for_log("client sent", "a.json"));
  for (const json& line : objects(s, "a.json")) CHECK(line["client"] == "127.0.0.1");
  for (const json& line : objects(s, "main.json")) CHECK_FALSE(line.contains("client"));
  CHECK(!objects(s, "main.json").empty());
}

TEST_CASE("error_log request_id: every line of a request ends in its id, of which upstreams hear, too") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore");
  });
  Server s(failing("error_log a.log info request_id; log_subrequest on; add_header X-Id $request_id always; location / { } "
                   "location /up { proxy_pass " + up.url() + "; proxy_buffering off; }"));
  const auto ends_in_id = [&](const Response& r, const std::string& of) {
    return s.wait_for_log(of + ".*, request id: \"" + r.header("X-Id") + "\"$", "a.log");
  };
  const Response first = get(s.url("/x")), second = get(s.url("/y")), third = get(s.url("/up"));
  CHECK(ends_in_id(first, "html/x\" failed"));
  CHECK(ends_in_id(second, "html/y\" failed"));
  CHECK(ends_in_id(third, "upstream sent more data"));
  CHECK(first.header("X-Id") != second.header("X-Id"));
  CHECK_THAT(s.error_log(), !ContainsSubstring("request id"));
}

TEST_CASE("error_log rate: so many lines of a kind, and how many were left out") {
  Server s(failing("error_log a.log info rate=3/m; error_log all.log;"));
  for (int i = 0; i < 10; ++i) get(s.url("/" + std::to_string(i)));
  REQUIRE(s.wait_for_log("html/9\" failed", "all.log"));
  CHECK_THAT(s.read("a.log"), ContainsSubstring("html/2\" failed") && !ContainsSubstring("html/3\" failed"));
  Server soon(failing("error_log a.log info rate=1/s;"));
  for (int i = 0; i < 5; ++i) get(soon.url("/" + std::to_string(i)));
  CHECK(wait_until([&] {  // the next line after the second tells
    get(soon.url("/again"));
    return soon.read("a.log").find("more lines were left out like: open() ") != std::string::npos;
  }));
}

TEST_CASE("error_log: parameters with mistakes are refused") {
  const auto of = [](const std::string& arguments) { return check_config("error_log " + arguments + ";").err; };
  CHECK_THAT(of("a.log format=xml"), ContainsSubstring("invalid log format \"xml\" in "));
  CHECK_THAT(of("a.log rate=5"), ContainsSubstring("invalid rate \"rate=5\" in "));
  CHECK_THAT(of("a.log rate=0/s"), ContainsSubstring("invalid rate \"rate=0/s\" in "));
  CHECK_THAT(of("a.log rate=1/s rate=2/s"), ContainsSubstring("duplicate \"rate\" parameter in "));
}
