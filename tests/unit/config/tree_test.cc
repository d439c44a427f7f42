#include "seawall/config/tree.h"

#include "catch.h"
#include "unit/config/files.h"

using namespace seawall;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using test::Files;

namespace {

// A tree as text again: names and arguments in brackets, blocks in braces.
std::string show(const std::vector<Node>& nodes) {
  std::string text;
  for (const Node& node : nodes) {
    text += node.name;
    for (const std::string& arg : node.args) text += "[" + arg + "]";
    text += node.is_block ? "{" + show(node.children) + "}" : ";";
  }
  return text;
}

std::string parsed(const std::string& text) { return show(parse_config(Files().write("nginx.conf", text))->nodes); }

void refused(const std::string& text, const std::string& message) {
  const Files files;
  const std::string conf = files.write("nginx.conf", text);
  CHECK_THROWS_WITH(parse_config(conf),
                    message + " in " + conf + ":" + std::to_string(1 + std::count(text.begin(), text.end(), '\n')));
}

}  // namespace

TEST_CASE("directives and blocks become a tree") {
  CHECK(parsed("user a b;\nhttp {\n server { listen 80; }\n server {}\n}") == "user[a][b];http{server{listen[80];}server{}}");
  CHECK(parsed("# nothing") == "");
  CHECK(parsed("if ($a = 'b c') { return 204; }") == "if[($a][=][b c][)]{return[204];}");
  CHECK(parsed("'quoted name' x;") == "quoted name[x];");
}

TEST_CASE("a Lua block is kept verbatim") {
  const auto tree = parse_config(Files().write("nginx.conf", "content_by_lua_block {\n a = { ';' }\n}\nx;"));
  REQUIRE(tree->nodes.size() == 2);
  CHECK(tree->nodes[0].is_block);
  CHECK(tree->nodes[0].raw == "\n a = { ';' }\n");
  CHECK(tree->nodes[1].place.line == 4);
}

TEST_CASE("what does not fit together is refused in nginx's words, with file and line") {
  refused("a b", "unexpected end of file, expecting \";\" or \"}\"");
  refused("http {\n", "unexpected end of file, expecting \"}\"");
  refused("}", "unexpected \"}\"");
  refused("\na b }", "unexpected \"}\"");
  refused("{", "unexpected \"{\"");
  refused("a {\n;", "unexpected \";\"");
}

TEST_CASE("include puts a file's directives in its place, relative to the main file") {
  const Files files;
  files.write("sites/a.conf", "server { include snippets/b; }");
  files.write("snippets/b", "root /b;");
  const auto tree = parse_config(files.write("nginx.conf", "http { x; include sites/a.conf; y; }"));
  CHECK(show(tree->nodes) == "http{x;server{root[/b];}y;}");
  CHECK(tree->nodes[0].children[1].place.text() == files.path() + "/sites/a.conf:1");
}

TEST_CASE("a pattern includes what it matches, sorted: matching nothing is no error, hidden files do not match") {
  const Files files;
  for (const char* name : {"c", "a", "b", "B", ".d", "a.conf"}) files.write(std::string("on/") + name, std::string(name) + ";");
  const auto included = [&](const std::string& pattern) {
    return show(parse_config(files.write("nginx.conf", "include " + pattern + ";"))->nodes);
  };
  CHECK(included("on/*") == "B;a;a.conf;b;c;");
  CHECK(included("on/[bc]") == "b;c;");
  CHECK(included("o?/*.conf") == "a.conf;");
  CHECK(included("none/*.conf") == "");
}

TEST_CASE("a file that is included twice is kept once, in the order of first reading") {
  const Files files;
  const std::string a = files.write("a", "x; # comment  ");
  const std::string b = files.write("b", "include a;");
  const std::string conf = files.write("nginx.conf", "include a; include b; include a;");
  const auto tree = parse_config(conf);
  CHECK(show(tree->nodes) == "x;x;x;");
  std::vector<std::string> paths;
  for (const ConfigFile& file : tree->files) paths.push_back(file.path);
  CHECK(paths == std::vector<std::string>{conf, a, b});
  CHECK(tree->files[1].text == "x; # comment  ");
}

TEST_CASE("a file that cannot be read is reported where it is included") {
  const Files files;
  const std::string conf = files.write("nginx.conf", "\ninclude none.conf;");
  CHECK_THROWS_WITH(parse_config(conf), "open() \"" + files.path() +
                                            "/none.conf\" failed (2: No such file or directory) in " + conf + ":2");
  const std::string folder = files.write("folder.conf", "include " + files.path() + ";");
  CHECK_THROWS_WITH(parse_config(folder), "read() \"" + files.path() + "\" failed (21: Is a directory) in " + folder + ":1");
  CHECK_THROWS_WITH(parse_config(files.path() + "/none"),
                    "open() \"" + files.path() + "/none\" failed (2: No such file or directory)");
}

TEST_CASE("an error in an included file names that file") {
  const Files files;
  const std::string part = files.write("part", "ok;\n}");
  CHECK_THROWS_WITH(parse_config(files.write("nginx.conf", "include part;")), "unexpected \"}\" in " + part + ":2");
}

TEST_CASE("include takes one file") {
  const Files files;
  CHECK_THROWS_WITH(parse_config(files.write("nginx.conf", "include a b;")),
                    ContainsSubstring("invalid number of arguments in \"include\" directive in "));
}

TEST_CASE("files that include themselves and blocks without bottom are refused") {
  const Files files;
  CHECK_THROWS_WITH(parse_config(files.write("nginx.conf", "include nginx.conf; include nginx.conf;")),
                    ContainsSubstring("nested too deeply in "));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "a {";
  CHECK_THROWS_WITH(parse_config(files.write("nginx.conf", deep)), ContainsSubstring("nested too deeply"));
}

TEST_CASE("the directives of -g come first, and its last directive may do without a semicolon") {
  const Files files;
  const std::string conf = files.write("nginx.conf", "b;");
  CHECK(show(parse_config(conf, "a 1; c 2")->nodes) == "a[1];c[2];b;");
  CHECK(show(parse_config(conf, "events {} ")->nodes) == "events{}b;");
  CHECK(parse_config(conf, "a")->nodes[0].place.text() == "command line");
  CHECK_THROWS_WITH(parse_config(conf, "a }"), EndsWith("in command line"));
}
