// The installed server with a module from outside its tree: tests/plugin/install has made both.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a module built against the installed headers is loaded by its directive and answers") {
  Server s(R"(
    server {
      listen 127.0.0.1:%%PORT_0%%;
      location /hello { hello "Hello, $arg_name!"; }
      location /outer { return 204; }
    }
  )");
  const Response greeted = get(s.url("/hello?name=Ann"));
  CHECK(greeted.status == 200);
  CHECK(greeted.body == "Hello, Ann!\n");
  CHECK(greeted.header("Content-Type") == "text/plain");
  CHECK(get(s.url("/outer")).status == 204);
  CHECK(get(s.url("/")).status == 404);
}

TEST_CASE("the settings of a module from outside inherit like any other") {
  Server s("hello outer; server { listen 127.0.0.1:%%PORT_0%%; location /in { hello inner; } }");
  CHECK(get(s.url("/")).body == "outer\n");
  CHECK(get(s.url("/in")).body == "inner\n");
}

TEST_CASE("a mistake in a directive of a module from outside has its line") {
  const Run run = check_config("server {\n hello a b;\n}");
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring("invalid number of arguments in \"hello\" directive in "));
  CHECK_THAT(check_config("server { helo a; }").err, ContainsSubstring("unknown directive \"helo\", did you mean \"hello\"?"));
}

TEST_CASE("an installed server knows its modules, and where it lies") {
  const std::string folder = make_folder();
  CHECK_THAT(run_server({"directives"}, folder).out, ContainsSubstring("\nstatic: ") && ContainsSubstring("\nhello: greets who asks\n"));
  CHECK_THAT(run_server({"directives", "hello"}, folder).out, ContainsSubstring("| `hello` | value | "));
  CHECK_THAT(run_server({"-V"}, folder).err, ContainsSubstring("--prefix=" SEAWALL_INSTALLED "/etc/seawall/ "));
}
