// ServerNames: which server of one listening address a host name asks for. Built at start-up from the servers of the
// address, then read by every loop. The servers are opaque here and not owned.
//
//   const auto found = names.find(head.host, &captures);
//   const Vhost& vhost = found.vhost ? *found.vhost : *default_server;
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/regex.h"

namespace seawall {

class Vhost;

// One word of `server_name`.
class SEAWALL_API ServerName {
 public:
  // `$hostname` becomes `hostname`; names are lowered; ~patterns compiled. ConfigError: server name "X" is invalid,
  // empty regex in server name "X", what Regex::compile throws. Warns: server name "X" has suspicious symbols.
  static ServerName parse(const std::string& word, const std::string& hostname,
                          const std::function<void(const std::string&)>& warn);
  // nginx's $server_name when this is the first: as written, but without the leading dot of ".example.com".
  std::string primary() const;

  std::string text;                    // lower case; of a regex as written, with its '~'
  std::shared_ptr<const Regex> regex;  // of ~names
};

class ServerMatch {
 public:
  const Vhost* vhost = nullptr;  // null: nobody's; the default server answers
  const Regex* regex = nullptr;  // what matched, when it was a regex: its named groups become variables
  bool failed = false;           // a regex hit its match limit: answer 500 (nginx does)
};

class SEAWALL_API ServerNames {
 public:
  class Server {
   public:
    const Vhost* vhost;
    std::span<const ServerName> names;  // a server without server_name has the one name ""
  };
  ServerNames() = default;
  // `address` is for the messages: "0.0.0.0:80". Warns: conflicting server name "X" on ADDRESS, ignored. ConfigError:
  // invalid server name or wildcard "X" on ADDRESS. A single server whose names capture nothing is the default anyway:
  // its names are not looked at, not even for errors (as in nginx).
  ServerNames(const std::string& address, std::span<const Server> servers,
              const std::function<void(const std::string&)>& warn);

  // nginx's precedence: exact, the longest *.name, the longest name.*, the first regex in the order written. `host` is
  // in lower case, without port and final dot; empty: the request names no host. `captures` may be null (SNI).
  ServerMatch find(std::string_view host, Captures* captures) const;

 private:
  class Hash {
   public:
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  // Wildcards as a tree of labels, so that a host of a thousand dots costs no more steps than the deepest wildcard has.
  class Label {
   public:
    std::unordered_map<std::string, std::unique_ptr<Label>, Hash, std::equal_to<>> next;
    const Vhost* vhost = nullptr;  // of the wildcard that ends here
  };
  class Pattern {
   public:
    std::shared_ptr<const Regex> regex;
    const Vhost* vhost;
  };
  bool add(std::string_view name, const Vhost* vhost);
  bool add_leading(std::string_view base, const Vhost* vhost);
  bool add_trailing(std::string_view base, const Vhost* vhost);
  const Vhost* find_leading(std::string_view host) const;
  const Vhost* find_trailing(std::string_view host) const;
  ServerMatch find_regex(std::string_view host, Captures* captures) const;

  std::unordered_map<std::string, const Vhost*, Hash, std::equal_to<>> exact_;
  Label leading_, trailing_;
  std::vector<Pattern> regexes_;
};

}  // namespace seawall
