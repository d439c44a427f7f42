// What FastCGI, uwsgi and SCGI servers are told of a request: the directive NAME_param, and the client's fields as HTTP_*. Made at
// start-up, used on any loop.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/config/template.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class Exchange;

// fastcgi_param NAME VALUE [if_not_empty];
class Param {
 public:
  std::string name;
  Template value;
  bool if_not_empty = false;
};
SEAWALL_API void append_param(std::vector<Param>& params, const Invocation& in);

class SEAWALL_API Params {
 public:
  Params() = default;
  // `host`: the value of HTTP_HOST where no param says it.
  Params(std::vector<Param> params, Template host);

  using Take = std::function<void(std::string_view name, std::string_view value)>;
  // The params in the order written, then the client's fields, if those are passed: several of a name are one, and Proxy is left
  // out, which CGI programs would take for the setting HTTP_PROXY. nginx passes it.
  void each(Exchange& x, bool passes_client, const Take& take, const ForCache& for_cache = {}) const;

 private:
  void each_field(Exchange& x, bool whole, const Take& take) const;

  std::vector<Param> params_;
  std::unordered_set<std::string> names_;  // of params that stand for fields: "HTTP_COOKIE"
};

}  // namespace seawall
