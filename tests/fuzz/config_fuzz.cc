// The configuration's words, values with variables, times and sizes: any text is read to its end or refused by ConfigError.
// A text that begins with '{' is read as a Lua block, too.
#include <cstdint>
#include <string_view>

#include "seawall/base/check.h"
#include "seawall/config/directive.h"
#include "seawall/config/lexer.h"
#include "seawall/config/template.h"
#include "seawall/config/variable.h"

using namespace seawall;

namespace {

const std::string file = "nginx.conf";

void read_value(const std::string& word) {
  VariableTable variables;
  try {
    const Template value = Template::compile(word, variables, Place{&file, 1});
    CHECK(value.source() == word);
    CHECK(value.is_literal() == (variables.references() == 0));
  } catch (const ConfigError&) {
    CHECK(word.find('$') != std::string::npos);
  }
  if (const auto time = time_of(word)) CHECK(time->count() >= 0);
  if (const auto size = size_of(word)) CHECK(*size >= 0);
}

void read_words(std::string_view text) {
  Lexer lexer(text, &file);
  int line = 1;
  for (Token token = lexer.next(); token.kind != Token::end; token = lexer.next()) {
    CHECK(token.line >= line);
    line = token.line;
    if (token.kind == Token::word) read_value(token.text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (text.starts_with('{')) Lexer(text.substr(1), &file).lua_block();
    read_words(text);
  } catch (const ConfigError& error) {
    CHECK(error.placed());
  }
  return 0;
}
