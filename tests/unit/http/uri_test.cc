// Request targets: decoded once, normalised as nginx's $uri; what could be read in two ways is refused.
#include "seawall/http/uri.h"

#include "catch.h"

using namespace seawall;

namespace {

std::string normalized(std::string_view raw, bool merge = true) {
  const Result<std::string> path = normalize_path(raw, merge);
  return path ? *path : "refused";
}

std::string host_of(std::string_view authority) {
  const Result<std::string> host = parse_host(authority);
  return host ? *host : "refused";
}

}  // namespace

TEST_CASE("paths are normalised as nginx does") {
  const std::pair<const char*, const char*> rows[] = {
      {"/", "/"},           {"/a/b", "/a/b"},         {"/a/./b", "/a/b"},    {"/a/../b", "/b"},       {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},  {"//a///b", "/a/b"},      {"/%41", "/A"},        {"/a%2fb", "/a/b"},      {"/a%2Fb/%2e%2e/c", "/a/c"},
      {"/%2541", "/%41"},   {"/...", "/..."},         {"/.a", "/.a"},        {"/a..b/c", "/a..b/c"},  {"/a/..b", "/a/..b"},
      {"/a+b", "/a+b"},     {"/a//../b", "/b"},       {"/%c3%a9", "/\xc3\xa9"}, {"/a/%2e", "/a/"},    {"/a%20b", "/a b"}};
  for (const auto& [raw, expected] : rows) {
    INFO(raw);
    CHECK(normalized(raw) == expected);
  }
}

TEST_CASE("merge_slashes off keeps empty segments") {
  CHECK(normalized("//a///b", false) == "//a///b");
  CHECK(normalized("/a//../b", false) == "/a/b");
}

TEST_CASE("paths that leave the root, carry a NUL or a broken escape are refused") {
  for (const char* raw : {"", "a", "/..", "/../a", "/a/../..", "/%2e%2e/a", "/.%2e", "/a/%2e%2e/%2e%2e/b", "/%00", "/a%00b", "/%", "/%4",
                          "/%g1", "/%1g", "/a%", "/a b", "/a\tb", "/a\x7f", "/a\r", "/%u0041"}) {
    INFO(raw);
    CHECK(normalized(raw) == "refused");
  }
}

TEST_CASE("a normalised path, escaped, is itself again") {
  for (const char* raw : {"/a b/c%d", "/%41%2542", "/\xc3\xa9", "/a?b#c", "/x%3f%23", "/\"<>\\^`{|}"}) {
    const std::string path = raw;
    INFO(path);
    CHECK(normalized(escape_uri(path)) == path);
  }
}

TEST_CASE("hosts in lower case, without port and final dot") {
  const std::pair<const char*, const char*> rows[] = {{"Example.COM", "example.com"},   {"example.com:8080", "example.com"},
                                                      {"example.com.", "example.com"},  {"example.com.:80", "example.com"},
                                                      {"example.com:", "example.com"},  {"[::1]", "[::1]"},
                                                      {"[2001:DB8::1]:443", "[2001:db8::1]"}, {"127.0.0.1:80", "127.0.0.1"},
                                                      {"a_b", "a_b"}};
  for (const auto& [authority, host] : rows) {
    INFO(authority);
    CHECK(host_of(authority) == host);
  }
}

TEST_CASE("what is no host") {
  for (const char* authority : {"", ":80", ".", "a..b", ".a", "user@host", "a:80:90", "a:65536", "a:-1", "a:8o", "a/b", "a b", "a\\b", "[::1", "::1",
                                "[::1]x", "[::1]x:80", "[]", "[1.2.3.4]", "a%00", "a?b", "a#b", "\xc3\xa9"}) {
    INFO(authority);
    CHECK(host_of(authority) == "refused");
  }
}
