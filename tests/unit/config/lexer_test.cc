#include "seawall/config/lexer.h"

#include "catch.h"

using namespace seawall;
using Catch::Matchers::ContainsSubstring;

namespace {

// Words as they come, the other tokens as themselves.
std::vector<std::string> tokens(std::string_view text) {
  static const std::string file = "nginx.conf";
  Lexer lexer(text, &file);
  std::vector<std::string> all;
  for (;;) {
    const Token token = lexer.next();
    switch (token.kind) {
      case Token::word: all.push_back(token.text); break;
      case Token::open: all.push_back("{"); break;
      case Token::close: all.push_back("}"); break;
      case Token::semicolon: all.push_back(";"); break;
      case Token::end: return all;
    }
  }
}

using Words = std::vector<std::string>;

std::string lua(std::string_view text) {
  static const std::string file = "nginx.conf";
  return Lexer(text, &file).lua_block();
}

}  // namespace

TEST_CASE("words end at spaces, semicolons and opening braces") {
  CHECK(tokens("listen 80;") == Words{"listen", "80", ";"});
  CHECK(tokens("a\tb\r\nc;d{e;}") == Words{"a", "b", "c", ";", "d", "{", "e", ";", "}"});
  CHECK(tokens("") == Words{});
  CHECK(tokens(" \n\t\r") == Words{});
}

TEST_CASE("a closing brace ends a block only where a word would begin") {
  CHECK(tokens("a}b;}") == Words{"a}b", ";", "}"});
}

TEST_CASE("comments go to the end of the line and begin where a word would begin") {
  CHECK(tokens("a # b ; {\nc#d;# last") == Words{"a", "c#d", ";"});
  CHECK(tokens("a \"# no comment\";") == Words{"a", "# no comment", ";"});
}

TEST_CASE("quotes hold spaces, braces, semicolons, line ends and the other quote") {
  CHECK(tokens("a 'b c;{}#\"\nd' \"it's\";") == Words{"a", "b c;{}#\"\nd", "it's", ";"});
  CHECK(tokens("a '' \"\";") == Words{"a", "", "", ";"});
}

TEST_CASE("a quote inside a word is a character") { CHECK(tokens("a\"b c'd;") == Words{"a\"b", "c'd", ";"}); }

TEST_CASE("escapes: quotes, backslash, t, r and n are resolved, others keep their backslash for regexes") {
  CHECK(tokens("\"a\\\"b\" 'a\\'b' a\\\\b") == Words{"a\"b", "a'b", "a\\b"});
  CHECK(tokens("\"\\t\\r\\n\" \\t") == Words{"\t\r\n", "\t"});
  CHECK(tokens("\\.php$ '\\d+\\s'") == Words{"\\.php$", "\\d+\\s"});
}

TEST_CASE("an escaped space, semicolon or brace stays in its word") {
  CHECK(tokens("a\\ b\\;c\\{d;") == Words{"a\\ b\\;c\\{d", ";"});
}

TEST_CASE("the brace of ${name} opens no block") {
  CHECK(tokens("return 200 ${uri}x;") == Words{"return", "200", "${uri}x", ";"});
  CHECK(tokens("a $b{") == Words{"a", "$b", "{"});
  CHECK(tokens("a \\${") == Words{"a", "\\$", "{"});
}

TEST_CASE("a quoted word ends where a space, semicolon, brace or parenthesis follows") {
  CHECK(tokens("if ($a = \"b\") {") == Words{"if", "($a", "=", "b", ")", "{"});
  CHECK(tokens("a 'b'{") == Words{"a", "b", "{"});
  CHECK_THROWS_WITH(tokens("\n'a'b;"), "unexpected \"b\" in nginx.conf:2");
}

TEST_CASE("a missing quote is reported where the word began") {
  CHECK_THROWS_WITH(tokens("a\n 'b;\n\n"), "unexpected end of file, expecting the closing ' of a word in nginx.conf:2");
  CHECK_THROWS_WITH(tokens("a\n \"" + std::string(5000, 'x')),
                    "too long parameter, probably missing terminating \"\"\" character in nginx.conf:2");
}

TEST_CASE("a word is at most 4096 bytes long") {
  CHECK(tokens(std::string(4096, 'x')).at(0).size() == 4096);
  CHECK_THROWS_WITH(tokens(std::string(4097, 'x')), "too long parameter \"xxxxxxxxxx...\" started in nginx.conf:1");
}

TEST_CASE("tokens know their line") {
  static const std::string file = "f";
  Lexer lexer("a\n\n'b\nc'\nd", &file);
  CHECK(lexer.next().line == 1);
  CHECK(lexer.next().line == 3);
  CHECK(lexer.next().line == 5);
  CHECK(lexer.place(7).text() == "f:7");
}

TEST_CASE("a Lua block goes to its own closing brace") {
  CHECK(lua("ngx.say(1)} rest") == "ngx.say(1)");
  CHECK(lua(" local t = { {1}, 2 } } }") == " local t = { {1}, 2 } ");
}

TEST_CASE("braces in Lua strings, long brackets and comments do not count") {
  CHECK(lua("a('}') b(\"\\\"}\") }") == "a('}') b(\"\\\"}\") ");
  CHECK(lua("x = [[ } ]] y = [==[ ]] } ]==] }") == "x = [[ } ]] y = [==[ ]] } ]==] ");
  CHECK(lua("-- it's }\nx() --[[ } ]] --[=[ } ]=] }") == "-- it's }\nx() --[[ } ]] --[=[ } ]=] ");
  CHECK(lua("t[1] = '[' }") == "t[1] = '[' ");
}

TEST_CASE("a Lua block without an end is reported where it began") {
  CHECK_THROWS_WITH(lua("\nx = {\n}"), ContainsSubstring("expecting the closing brace of the Lua block in nginx.conf:1"));
}
