// What follows the scheme of a proxy_pass (and stands in a server line of an upstream): host[:port][/uri], [::1]:80/uri,
// unix:/path[:/uri]. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API UpstreamUrl {
 public:
  // What is wrong goes into `error` (nginx's words, without the URL); empty: nothing is.
  static UpstreamUrl parse(std::string_view text, std::uint16_t default_port, std::string& error);

  bool is_unix = false;
  std::string host;         // as written, brackets included; of a unix socket its path
  std::uint16_t port = 0;   // the default's when none is written; 0 for unix
  bool has_port = false;
  std::string uri;          // from the first / or ?; empty: none was written
  // As a Host field says it: the port only where it is not the default; "localhost" for a unix socket.
  std::string host_field(std::uint16_t default_port) const;
};

}  // namespace seawall
