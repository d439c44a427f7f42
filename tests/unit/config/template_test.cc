// Complex values: compiled once, evaluated in one pass. The layers below know no Exchange; here it is what a test needs.
#include "seawall/config/template.h"

#include <map>

#include "catch.h"
#include "seawall/config/variable.h"

namespace seawall {
class Exchange {
 public:
  std::map<std::string, std::string, std::less<>> values;
  int asked = 0;
};
}  // namespace seawall

using namespace seawall;

namespace {

bool get_any(Exchange& x, std::string_view, const void* data, std::string& out) {
  ++x.asked;
  const auto found = x.values.find(static_cast<const char*>(data));
  if (found == x.values.end()) return false;
  out += found->second;
  return true;
}

bool get_field(Exchange&, std::string_view rest, const void*, std::string& out) {
  out += "<" + std::string(rest) + ">";
  return true;
}

// Grows by one byte each time it is asked: what a value measured first and copied later would overrun with.
bool get_growing(Exchange& x, std::string_view, const void*, std::string& out) {
  out += std::string(static_cast<std::size_t>(++x.asked), 'x');
  return true;
}

void define(VariableTable& table, const char* name, GetVariable get, bool prefix = false) {
  Variable variable;
  variable.name = name;
  variable.get = get;
  variable.data = name;
  variable.prefix = prefix;
  table.define(std::move(variable));
}

class Table {
 public:
  Table() {
    for (const char* name : {"scheme", "host", "uri", "1", "a_b2"}) define(table, name, get_any);
    define(table, "growing", get_growing);
    define(table, "http_", get_field, true);
    define(table, "http_x_", get_field, true);
  }
  Template compile(std::string_view text) {
    Template t = Template::compile(text, table, place);
    table.resolve();
    return t;
  }
  std::string eval(std::string_view text) { return compile(text).eval(x); }

  const std::string file = "nginx.conf";
  const Place place{&file, 3};
  VariableTable table;
  Exchange x;
};

}  // namespace

TEST_CASE("a value is text and variables") {
  Table t;
  t.x.values = {{"scheme", "https"}, {"host", "a.example"}, {"uri", "/x"}, {"1", "one"}, {"a_b2", "AB"}};
  CHECK(t.eval("$scheme://$host$uri") == "https://a.example/x");
  CHECK(t.eval("${scheme}s-${host}") == "httpss-a.example");
  CHECK(t.eval("$a_b2-") == "AB-");
  CHECK(t.eval("plain") == "plain");
  CHECK(t.eval("") == "");
}

TEST_CASE("captures are one digit") {
  Table t;
  t.x.values = {{"1", "one"}};
  CHECK(t.eval("$10") == "one0");
  CHECK(t.eval("${1}0") == "one0");
}

TEST_CASE("names are case-insensitive, the longest prefix wins, the rest is lower case") {
  Table t;
  t.x.values = {{"host", "h"}};
  CHECK(t.eval("$HOST$Host") == "hh");
  CHECK(t.eval("$http_User_Agent") == "<user_agent>");
  CHECK(t.eval("$http_x_real") == "<real>");
}

TEST_CASE("a variable that is not found reads as nothing") {
  Table t;
  CHECK(t.eval("[$host]") == "[]");
}

TEST_CASE("a value without variables is known at load") {
  Table t;
  CHECK(t.compile("text").is_literal());
  CHECK(t.compile("text").source() == "text");
  CHECK_FALSE(t.compile("$host").is_literal());
  CHECK(Template::literal("$not").eval(t.x) == "$not");
  CHECK(Template().empty());
}

TEST_CASE("each variable is asked once, in one pass, and its value is copied as it was then") {
  Table t;
  const Template value = t.compile("$growing,$growing,$growing");
  CHECK(value.eval(t.x) == "x,xx,xxx");
  CHECK(t.x.asked == 3);
}

TEST_CASE("a value is appended to what there is") {
  Table t;
  t.x.values = {{"host", "h"}};
  std::string out = "a ";
  t.compile("$host!").append(t.x, out);
  CHECK(out == "a h!");
}

TEST_CASE("malformed names are refused in nginx's words") {
  Table t;
  CHECK_THROWS_WITH(t.compile("a$"), "invalid variable name");
  CHECK_THROWS_WITH(t.compile("$-"), "invalid variable name");
  CHECK_THROWS_WITH(t.compile("${}"), "invalid variable name");
  CHECK_THROWS_WITH(t.compile("${host"), "the closing bracket in \"host\" variable is missing");
  CHECK_THROWS_WITH(t.compile("${host-}"), "the closing bracket in \"host\" variable is missing");
}

TEST_CASE("an unknown variable is reported where it was used first") {
  Table t;
  CHECK_THROWS_WITH(t.compile("$nothing"), "unknown \"nothing\" variable in nginx.conf:3");
}

TEST_CASE("a variable may be used before it is defined, the later definition counts") {
  Table t;
  const Template early = Template::compile("$later", t.table, t.place);
  define(t.table, "later", get_any);
  define(t.table, "later", get_field);
  t.table.resolve();
  CHECK(early.eval(t.x) == "<>");
}
