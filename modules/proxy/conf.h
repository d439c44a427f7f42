// What proxy_* directives say. Written at start-up, read by every loop.
#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "cookies.h"
#include "replace.h"
#include "seawall/module/module.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/request_fields.h"
#include "seawall/upstream/upstream_tls.h"
#include "target.h"

namespace seawall::proxy {

enum class HttpVersion : std::uint8_t { http10, http11, http2 };

class Conf : public ForwardConf, public UpstreamTlsConf {
 public:
  std::shared_ptr<const Target> target;
  const Settings* block = nullptr;  // that wrote proxy_pass: a nested location shares the Conf, not the target
  Setting<HttpVersion> version{HttpVersion::http11};
  Setting<int> send_proxy_protocol{0};
  Setting<std::vector<SetField>> set_fields;
  Setting<Template> method, body;
  Setting<Replacements> redirects, cookie_domains, cookie_paths;
  Setting<CookieFlags> cookie_flags;

  RequestFields fields;             // after inheritance
  Replacements effective_redirects; // ... with the default one
};

}  // namespace seawall::proxy
