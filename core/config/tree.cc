// Tokens to a tree of directives; include.
#include "seawall/config/tree.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/config/lexer.h"
#include "seawall/config/placed.h"

namespace seawall {
namespace {

constexpr int kDeepest = 64;  // blocks and includes in each other

[[noreturn]] void fail(const char* call, const std::string& path) {
  throw ConfigError(std::string(call) + " \"" + path + "\" failed " + describe(system_error_code(errno)));
}

std::string read_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail("open()", path);
  std::string text;
  char piece[16384];
  for (;;) {
    const ssize_t n = ::read(file.get(), piece, sizeof piece);
    if (n < 0) fail("read()", path);
    if (n == 0) return text;
    text.append(piece, static_cast<std::size_t>(n));
  }
}

class Parser {
 public:
  Parser(ConfigTree& tree, std::string directory) : tree_(tree), directory_(std::move(directory)) {}

  void parse_file(const std::string& path, std::vector<Node>& into, int depth) {
    const ConfigFile& file = load(path);
    parse_text(file.text, &file.path, into, depth);
  }

  void parse_text(std::string_view text, const std::string* name, std::vector<Node>& into, int depth) {
    Lexer lexer(text, name);
    parse_block(lexer, into, depth, true);
  }

 private:
  const ConfigFile& load(const std::string& path) {
    if (const auto known = read_.find(path); known != read_.end()) return *known->second;
    ConfigFile file;
    file.text = read_file(path);
    file.path = path;
    return *read_.emplace(path, &tree_.files.emplace_back(std::move(file))).first->second;
  }

  void parse_block(Lexer& lexer, std::vector<Node>& into, int depth, bool top) {
    if (depth > kDeepest) throw ConfigError("blocks or includes are nested too deeply");
    for (;;) {
      Token token = lexer.next();
      if (token.kind == Token::end) {
        if (top) return;
        lexer.fail("unexpected end of file, expecting \"}\"", token.line);
      }
      if (token.kind == Token::close) {
        if (!top) return;
        lexer.fail("unexpected \"}\"", token.line);
      }
      if (token.kind != Token::word)
        lexer.fail(token.kind == Token::open ? "unexpected \"{\"" : "unexpected \";\"", token.line);
      parse_directive(lexer, std::move(token), into, depth);
    }
  }

  void parse_directive(Lexer& lexer, Token name, std::vector<Node>& into, int depth) {
    Node node;
    node.name = std::move(name.text);
    node.place = lexer.place(name.line);
    for (;;) {
      Token token = lexer.next();
      if (token.kind == Token::word) {
        node.args.push_back(std::move(token.text));
      } else if (token.kind == Token::semicolon) {
        if (node.name == "include") return include(node, into, depth);
        break;
      } else if (token.kind == Token::open) {
        node.is_block = true;
        if (node.name.ends_with("_by_lua_block")) node.raw = lexer.lua_block();
        else parse_block(lexer, node.children, depth + 1, false);
        break;
      } else if (token.kind == Token::close) {
        lexer.fail("unexpected \"}\"", token.line);
      } else {
        lexer.fail("unexpected end of file, expecting \";\" or \"}\"", token.line);
      }
    }
    into.push_back(std::move(node));
  }

  void include(const Node& node, std::vector<Node>& into, int depth) {
    placed(node.place, [&] {
      if (node.args.size() != 1) throw ConfigError("invalid number of arguments in \"include\" directive");
      const std::string path = node.args[0].starts_with('/') ? node.args[0] : directory_ + node.args[0];
      if (path.find_first_of("*?[") == std::string::npos) return parse_file(path, into, depth + 1);
      for (const std::string& file : matches(path)) parse_file(file, into, depth + 1);
    });
  }

  static std::vector<std::string> matches(const std::string& pattern) {
    glob_t found;
    std::vector<std::string> paths;
    const int error = ::glob(pattern.c_str(), 0, nullptr, &found);
    if (error == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (error != 0 && error != GLOB_NOMATCH) throw ConfigError("glob() \"" + pattern + "\" failed");
    return paths;
  }

  ConfigTree& tree_;
  const std::string directory_;
  std::unordered_map<std::string, const ConfigFile*> read_;
};

}  // namespace

std::unique_ptr<ConfigTree> parse_config(const std::string& path, std::string_view prepended) {
  auto tree = std::make_unique<ConfigTree>();
  Parser parser(*tree, path.substr(0, path.rfind('/') + 1));
  if (!prepended.empty()) {
    // The last directive of -g may do without its semicolon.
    std::string text(prepended);
    text.erase(text.find_last_not_of(" \t\n") + 1);
    if (!text.empty() && text.back() != ';' && text.back() != '}') text += ';';
    parser.parse_text(text, nullptr, tree->nodes, 0);
  }
  parser.parse_file(path, tree->nodes, 0);
  return tree;
}

}  // namespace seawall
