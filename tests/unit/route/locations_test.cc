#include "seawall/route/locations.h"

#include <random>

#include "catch.h"

using namespace seawall;
using Catch::Matchers::ContainsSubstring;

namespace {

using Words = std::vector<std::string>;

const std::string kFile = "nginx.conf";

Place line(int number) {
  Place place;
  place.file = &kFile;
  place.line = number;
  return place;
}

Location& put(Locations& all, Location& parent, const Words& words, int number = 0) {
  return all.add(parent, parse_location(words, line(number)));
}

Locations server(const std::vector<Words>& locations) {
  Locations all;
  int number = 0;
  for (const Words& words : locations) put(all, all.root(), words, ++number);
  all.compile();
  return all;
}

// "=/foo", "/foo", "^~/images/", "~\.gif$"; "" for the server itself; "301 /a/" where a slash is missing.
std::string serves(const Locations& all, std::string_view path) {
  Captures captures;
  const auto found = all.find(path, captures);
  const char* mark = "";
  if (found.location->kind == Location::Kind::exact) mark = "=";
  if (found.location->kind == Location::Kind::prefix_no_regex) mark = "^~";
  if (found.location->kind == Location::Kind::regex) mark = "~";
  CHECK(found.exact == (found.location->kind == Location::Kind::exact && !found.auto_redirect));
  return (found.auto_redirect ? "301 " : "") + (mark + found.location->name);
}

std::string error_of(const std::vector<Words>& outside_in) {
  Locations all;
  Location* parent = &all.root();
  int number = 0;
  try {
    for (const Words& words : outside_in) parent = &put(all, *parent, words, ++number);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("exact, prefix, ^~ and regexes are told apart as in nginx") {
  const auto all = server({{"=", "/"}, {"/"}, {"^~", "/images/"}, {"~*", "\\.(gif|jpg|jpeg)$"}, {"~", "casefull"},
                           {"=", "/foo"}, {"/foo"}, {"=", "/foo/"}, {"/foo/"}, {"/lowercase"}, {"/UPPERCASE"}});
  CHECK(serves(all, "/") == "=/");
  CHECK(serves(all, "/x") == "/");
  CHECK(serves(all, "/images/t.gif") == "^~/images/");
  CHECK(serves(all, "/images") == "/");
  CHECK(serves(all, "/t.gif") == "~\\.(gif|jpg|jpeg)$");
  CHECK(serves(all, "/t.GIF") == "~\\.(gif|jpg|jpeg)$");
  CHECK(serves(all, "/casefull/t.gif") == "~\\.(gif|jpg|jpeg)$");
  CHECK(serves(all, "/casefull/") == "~casefull");
  CHECK(serves(all, "/CASEFULL/") == "/");
  CHECK(serves(all, "/foo") == "=/foo");
  CHECK(serves(all, "/foobar") == "/foo");
  CHECK(serves(all, "/foo/") == "=/foo/");
  CHECK(serves(all, "/foo/bar") == "/foo/");
  CHECK(serves(all, "/lowercase") == "/lowercase");
  CHECK(serves(all, "/UPPERCASE/x") == "/UPPERCASE");
}

TEST_CASE("without a location that matches, the server itself serves") {
  CHECK(serves(Locations(), "/x").empty());
  const auto all = server({{"/a"}, {"=", "/b"}});
  CHECK(serves(all, "/b/") == "");
  CHECK(serves(all, "/").empty());
  CHECK(serves(all, "*").empty());
  CHECK(serves(all, "").empty());
}

TEST_CASE("a modifier may stand against its name") {
  CHECK(serves(server({{"=/x"}}), "/x") == "=/x");
  CHECK(serves(server({{"^~/x"}}), "/xy") == "^~/x");
  CHECK(serves(server({{"~^/x"}}), "/xy") == "~^/x");
  CHECK(serves(server({{"~*^/x"}}), "/XY") == "~^/x");
  CHECK(serves(server({{"=", "@x"}}), "@x") == "=@x");
  CHECK(serves(server({{""}}), "/anything") == "");
  CHECK(error_of({{"^", "/x"}}) == "invalid location modifier \"^\"");
}

TEST_CASE("captures are of the regex that matched, and stay without one") {
  const auto all = server({{"/"}, {"~", "^/(a+)/(?<rest>.*)"}});
  Captures captures;
  CHECK(all.find("/aa/bc", captures).location->regex->names().front() == std::pair<std::string, int>("rest", 2));
  CHECK(captures.get(1) == "aa");
  CHECK(captures.get(2) == "bc");
  all.find("/other", captures);
  CHECK(captures.get(2) == "bc");
}

TEST_CASE("a path without the slash is redirected where the location asks for it") {
  Locations all;
  put(all, all.root(), {"/"});
  put(all, all.root(), {"~", "."});
  // nginx's own trap: '-' sorts before '/', so /a-a and /a-b lie between /a and /a/.
  put(all, all.root(), {"/a/"}).auto_redirect = true;
  put(all, all.root(), {"/a-a"});
  put(all, all.root(), {"/a-b"});
  put(all, all.root(), {"/b/"}).auto_redirect = true;
  put(all, all.root(), {"=", "/b"});
  put(all, all.root(), {"/c"}).auto_redirect = true;
  put(all, all.root(), {"=", "/d/"}).auto_redirect = true;
  put(all, all.root(), {"/e/"});
  all.compile();
  CHECK(serves(all, "/a") == "301 /a/");
  CHECK(serves(all, "/b") == "=/b");
  CHECK(serves(all, "/d") == "301 =/d/");
  for (const char* other : {"/a/", "/a-a", "/a-b", "/c", "/e", "/a-"}) CHECK(serves(all, other) == "~.");
  CHECK(serves(all, "").empty());
}

TEST_CASE("nested locations are searched with the whole path, and their regexes before the outer ones") {
  Locations all;
  Location& outer = put(all, all.root(), {"/a"});
  put(all, outer, {"/a/b"});
  put(all, outer, {"=", "/a"});
  put(all, outer, {"~", "\\.php$"});
  put(all, all.root(), {"~", "\\.(php|gif)$"});
  all.compile();
  CHECK(serves(all, "/a") == "=/a");
  CHECK(serves(all, "/ab") == "/a");
  CHECK(serves(all, "/a/b/c") == "/a/b");
  CHECK(serves(all, "/a/b.php") == "~\\.php$");
  CHECK(serves(all, "/a/b.gif") == "~\\.(php|gif)$");
  CHECK(serves(all, "/b.php") == "~\\.(php|gif)$");
}

TEST_CASE("^~ stops the regexes of its own level only") {
  Locations all;
  Location& stops = put(all, all.root(), {"^~", "/s/"});
  put(all, stops, {"~", "\\.inner$"});
  Location& plain = put(all, all.root(), {"/p/"});
  put(all, plain, {"^~", "/p/x/"});
  put(all, plain, {"~", "\\.inner$"});
  put(all, all.root(), {"~", "\\.(inner|outer)$"});
  all.compile();
  CHECK(serves(all, "/s/a.outer") == "^~/s/");
  CHECK(serves(all, "/s/a.inner") == "~\\.inner$");
  CHECK(serves(all, "/p/x/a.inner") == "~\\.(inner|outer)$");  // skips /p/'s own regex, not the server's
  CHECK(serves(all, "/p/y/a.inner") == "~\\.inner$");
}

TEST_CASE("locations inside a regex are searched after it matched, and every regex on the way is reported") {
  Locations all;
  Location& outer = put(all, all.root(), {"~", "^/(?<user>\\w+)/"});
  put(all, outer, {"~", "\\.(?<ending>\\w+)$"});
  all.compile();
  std::string seen;
  Captures captures;
  const auto found = all.find("/ann/x.gif", captures, [&](const Regex& regex, const Captures& now) {
    for (const auto& [name, group] : regex.names()) seen += name + "=" + std::string(now.get(group)) + " ";
  });
  CHECK(found.location->name == "\\.(?<ending>\\w+)$");
  CHECK(seen == "user=ann ending=gif ");
  CHECK(all.find("/ann/x", captures).location == &outer);
  CHECK(captures.get(1) == "ann");
}

TEST_CASE("a regex that gives up fails the search") {
  const auto all = server({{"~", "^(\\w+\\w+)+$"}, {"/"}});
  Captures captures;
  CHECK(all.find(std::string(60, 'a') + "!", captures).failed);
}

TEST_CASE("named locations") {
  auto all = server({{"@fallback"}, {"/"}, {"@other"}});
  const Locations moved = std::move(all);
  REQUIRE(moved.named("@fallback"));
  CHECK(moved.named("@fallback")->parent == &moved.root());
  CHECK(moved.named("@other")->name == "@other");
  CHECK_FALSE(moved.named("@none"));
  CHECK(serves(moved, "@fallback").empty());
}

TEST_CASE("what may not stand inside what") {
  CHECK(error_of({{"=", "/a"}, {"/a/b"}}) ==
        "location \"/a/b\" cannot be inside the exact location \"/a\" in nginx.conf:2");
  CHECK(error_of({{"@a"}, {"/b"}}) == "location \"/b\" cannot be inside the named location \"@a\" in nginx.conf:2");
  CHECK(error_of({{"/a"}, {"@b"}}) == "named location \"@b\" can be on the server level only in nginx.conf:2");
  CHECK(error_of({{"/a/"}, {"/a"}}) == "location \"/a\" is outside location \"/a/\" in nginx.conf:2");
  CHECK(error_of({{"~", "\\.php$"}, {"/a"}}) == "location \"/a\" is outside location \"\\.php$\" in nginx.conf:2");
  CHECK(error_of({{"/a"}, {"~", "anything"}, {"~", "else"}}) == "none");
  CHECK(error_of({{"/"}, {"=", "/"}}) == "none");
}

TEST_CASE("duplicates are refused with the later one's place") {
  CHECK_THROWS_WITH(server({{"/b"}, {"/a"}, {"/c"}, {"/a"}}), "duplicate location \"/a\" in nginx.conf:4");
  CHECK_THROWS_WITH(server({{"=/a"}, {"=", "/a"}}), "duplicate location \"/a\" in nginx.conf:2");
  CHECK_THROWS_WITH(server({{"^~", "/a"}, {"/a"}}), ContainsSubstring("duplicate location"));
  CHECK_NOTHROW(server({{"=/a"}, {"/a"}, {"~", "/a"}, {"~", "/a"}}));
}

TEST_CASE("the index finds what a plain search finds") {
  std::mt19937 random(7);
  const auto word = [&](std::size_t longest) {
    std::string text = "/";
    for (std::size_t n = random() % longest; n > 0; --n) text += "/-ab\xff"[random() % 5];
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Words> written;
    std::vector<std::string> names;
    for (int i = 0; i < 12; ++i) {
      const std::string name = word(6);
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      names.push_back(name);
      written.push_back({name});
    }
    const auto all = server(written);
    for (int i = 0; i < 40; ++i) {
      const std::string path = word(9);
      std::string longest;
      for (const auto& name : names)
        if (path.starts_with(name) && name.size() > longest.size()) longest = name;
      REQUIRE(serves(all, path) == longest);
    }
  }
}
