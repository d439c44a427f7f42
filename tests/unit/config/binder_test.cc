#include "seawall/config/binder.h"

#include "catch.h"
#include "unit/config/source.h"

using namespace seawall;
using namespace std::chrono_literals;
using test::Bound;

namespace {

enum class Colour { red, green };

struct Conf {
  Setting<bool> on{false};
  Setting<std::int64_t> number{7};
  Setting<std::int64_t> size{4096};
  Setting<std::chrono::milliseconds> time{5000ms};
  Setting<std::string> text{"default"};
  Setting<Template> value{};
  Setting<std::vector<std::string>> words{};
  Setting<std::vector<std::string>> lines{};
  Setting<Colour> colour{Colour::green};
  std::vector<Settings*> inner;
};

void append_line(std::vector<std::string>& lines, const Invocation& in) { lines.push_back(in.arg(0)); }
void open_http(Conf& conf, const Invocation& in) { conf.inner.push_back(&in.binder.open(in, kHttp)); }
void open_server(Conf& conf, const Invocation& in) { conf.inner.push_back(&in.binder.open(in, kServer)); }
void open_location(Conf& conf, const Invocation& in) { conf.inner.push_back(&in.binder.open(in, kLocation)); }
void warn(Conf&, const Invocation& in) { in.warn("careful"); }
void paths(Conf& conf, const Invocation& in) {
  conf.text.set(in.prefixed(in.arg(0)) + " " + in.conf_prefixed(in.arg(0)), in.node.place);
}

const Directive rows[] = {
    block<Conf>("http", kMain, 0, 0, open_http, ""),
    block<Conf>("server", kHttp, 0, 0, open_server, ""),
    block<Conf>("location", kServer, 1, 2, open_location, ""),
    flag("on", kAllHttp, &Conf::on, ""),
    number("number", kMain | kAllHttp, &Conf::number, ""),
    size("size", kAllHttp, &Conf::size, ""),
    duration("time", kAllHttp, &Conf::time, ""),
    text("text", kAllHttp, &Conf::text, ""),
    value("value", kAllHttp, &Conf::value, ""),
    words("words", kAllHttp, &Conf::words, ""),
    list<Conf, std::string>("line", kAllHttp, 1, 1, "text", &Conf::lines, append_line, ""),
    choice<Conf, Colour>("colour", kAllHttp, &Conf::colour, {{"red", Colour::red}, {"green", Colour::green}}, ""),
    custom<Conf>("warn", kServer, 0, 0, "", warn, ""),
    custom<Conf>("paths", kHttp, 1, 1, "path", paths, ""),
};

// A number over 100 is one mistake, found when everything is known.
void check(void* conf, Settings&, Binder&) {
  if (*static_cast<Conf*>(conf)->number > 100) throw ConfigError("number is too large");
}

struct Config {
  explicit Config(const std::string& text) : bound((module = source.add<Conf>(rows, check), source), text) {}
  const Conf& bind() { return at(bound.bind()); }
  const Conf& at(const Settings& settings) const { return *static_cast<const Conf*>(settings.get(module)); }
  // The Conf of the path of first blocks: http, server, location.
  const Conf& innermost() {
    const Conf* conf = &bind();
    while (!conf->inner.empty()) {
      const Settings* inner = conf->inner.front();
      conf = &at(*inner);
      if (!inner->owns(module)) break;
    }
    return *conf;
  }
  test::Source source;
  int module;
  Bound bound;
};

std::string http(const std::string& inside) { return "http {\n" + inside + "\n}"; }

void refused(const std::string& text, const std::string& message, int line) {
  Config config(text);
  CHECK_THROWS_WITH(config.bind(), message + config.bound.place(line));
}

}  // namespace

TEST_CASE("typed values are read") {
  Config config(http("on ON; number 12; size 2k; time 1m; text 'a b'; value $x; words a b c; colour red;"));
  config.bound.variables.define({"x", nullptr, nullptr, false});
  const Conf& conf = config.innermost();
  CHECK(*conf.on);
  CHECK(*conf.number == 12);
  CHECK(*conf.size == 2048);
  CHECK(*conf.time == 1min);
  CHECK(*conf.text == "a b");
  CHECK(conf.value->source() == "$x");
  CHECK(*conf.words == std::vector<std::string>{"a", "b", "c"});
  CHECK(*conf.colour == Colour::red);
  CHECK(conf.text.place().text() == config.bound.files.path() + "/nginx.conf:2");
}

TEST_CASE("what is written nowhere has its default") {
  Config config(http("server { location / { } }"));
  const Conf& conf = config.innermost();
  CHECK(*conf.number == 7);
  CHECK(conf.number.is_default());
}

TEST_CASE("what a block does not say it takes from the block around it, wherever that stands in the file") {
  Config config("number 1;" + http("server { location / { text inner; } number 2; }\ntext outer; size 1k;"));
  const Conf& location = config.innermost();
  CHECK(*location.number == 2);
  CHECK(*location.size == 1024);
  CHECK(*location.text == "inner");
  CHECK_FALSE(location.size.is_set());
  CHECK_FALSE(location.size.is_default());
  CHECK(location.size.place().line == 3);
}

TEST_CASE("a list inherits whole or not at all") {
  Config config(http("line a; line b; server { location / { on on; } location /own { line c; } }"));
  const Conf& main = config.bind();
  const Conf& server = config.at(*config.at(*main.inner.at(0)).inner.at(0));
  CHECK(*config.at(*server.inner.at(0)).lines == std::vector<std::string>{"a", "b"});
  CHECK(*config.at(*server.inner.at(1)).lines == std::vector<std::string>{"c"});
}

TEST_CASE("blocks that say nothing about a module share the outer one's settings") {
  Config config(http("number 3; server { location / { } }"));
  const Conf& main = config.bind();
  const Conf& server = config.at(*config.at(*main.inner.at(0)).inner.at(0));
  const Settings& location = *server.inner.at(0);
  CHECK_FALSE(location.owns(config.module));
  CHECK(&config.at(location) == &server);
}

TEST_CASE("bad values are refused in nginx's words, with file and line") {
  refused(http("on yes;"), "invalid value \"yes\" in \"on\" directive, it must be \"on\" or \"off\"", 2);
  refused(http("number x;"), "\"number\" directive invalid number", 2);
  refused(http("number -1;"), "\"number\" directive invalid number", 2);
  refused(http("\nsize 1t;"), "\"size\" directive invalid value", 3);
  refused(http("time 1x;"), "\"time\" directive invalid value", 2);
  refused(http("colour blue;"), "invalid value \"blue\" in \"colour\" directive", 2);
  refused(http("value ${a;"), "the closing bracket in \"a\" variable is missing", 2);
}

TEST_CASE("what stands twice, in the wrong place, or with too little is refused in nginx's words") {
  refused(http("on on;\non off;"), "\"on\" directive is duplicate", 3);
  refused(http("colour red;\ncolour red;"), "\"colour\" directive is duplicate", 3);
  refused("on on;", "\"on\" directive is not allowed here", 1);
  refused(http("location / {}"), "\"location\" directive is not allowed here", 2);
  refused(http("on;"), "invalid number of arguments in \"on\" directive", 2);
  refused(http("on on on;"), "invalid number of arguments in \"on\" directive", 2);
  refused(http("server { location {} }"), "invalid number of arguments in \"location\" directive", 2);
  refused("http;", "directive \"http\" has no opening \"{\"", 1);
  refused(http("on on { }"), "directive \"on\" is not terminated by \";\"", 2);
}

TEST_CASE("an unknown name says what was probably meant, also when that is not built yet") {
  refused(http("numbr 1;"), "unknown directive \"numbr\", did you mean \"number\"?", 2);
  refused(http("proxy_pas x;"), "unknown directive \"proxy_pas\", did you mean \"proxy_pass\"?", 2);
  refused(http("absolutely_nothing x;"), "unknown directive \"absolutely_nothing\"", 2);
}

TEST_CASE("checks run after inheritance, their errors have the place of the block") {
  refused(http("server {\n number 101;\n}"), "number is too large", 2);
  Config main("number 101;");
  CHECK_THROWS_WITH(main.bind(), "number is too large");
}

TEST_CASE("work for the end runs last, once everything is inherited, also when asked for at the end") {
  Config config(http("number 3; server { }"));
  std::string order;
  config.bound.binder->at_end([&] {
    order += "a";
    config.bound.binder->at_end([&] { order += "c"; });
  });
  config.bound.binder->at_end([&] { order += "b"; });
  config.bind();
  CHECK(order == "abc");
}

TEST_CASE("warnings carry their place, paths their prefix") {
  Config config(http("server { warn; }\npaths a;"));
  const Conf& conf = config.bind();
  CHECK(config.bound.warnings == std::vector<std::string>{"careful" + config.bound.place(2)});
  CHECK(*config.at(*conf.inner.at(0)).text == "/prefix/a /conf/a");
  Config absolute(http("paths /a;"));
  CHECK(*absolute.innermost().text == "/a /a");
}

TEST_CASE("two modules may have a directive of one name for different places") {
  static const Directive outer[] = {number("shared", kHttp, &Conf::number, "")};
  static const Directive inner[] = {size("shared", kServer, &Conf::size, "")};
  Config config(http("shared 5; server { shared 1k; }"));
  const int first = config.source.add<Conf>(outer), second = config.source.add<Conf>(inner);
  const Settings& http = *config.bind().inner.at(0);
  const Settings& server = *config.at(http).inner.at(0);
  CHECK(*static_cast<const Conf*>(http.get(first))->number == 5);
  CHECK(*static_cast<const Conf*>(server.get(second))->size == 1024);
  CHECK(*static_cast<const Conf*>(server.get(first))->number == 5);
}
