// What fastcgi_* directives say. Written at start-up, read by every loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "script_name.h"
#include "seawall/module/module.h"
#include "seawall/upstream/cgi_target.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/params.h"

namespace seawall::fastcgi {

class Conf : public ForwardConf {
 public:
  std::shared_ptr<const CgiTarget> target;
  const Settings* block = nullptr;  // that wrote fastcgi_pass or php_fastcgi
  bool php = false;                 // php_fastcgi
  Template host;                    // of HTTP_HOST where nobody says it
  std::vector<Param> php_params;    // those that php_fastcgi brings
  Setting<std::vector<Param>> params;
  Setting<std::shared_ptr<const SplitPath>> split;
  Setting<std::string> index;
  Setting<std::vector<std::string>> catch_stderr;
  Setting<bool> keep_conn{false};

  Params effective;                 // after inheritance
};

class FastCgi {
 public:
  using Conf = fastcgi::Conf;
  // Of php_fastcgi: which script the request was found to be for.
  class State {
   public:
    std::string script, path_info;
    bool found = false;
  };
  static constexpr const char* name = "fastcgi";
  static constexpr const char* summary = "passes requests to FastCGI servers (PHP-FPM)";
  static const std::vector<Directive> directives;
  static const std::span<const Step> steps;
  static const std::span<const VariableRow> variables;
  static void check(Conf& conf, Settings& settings, Binder& binder);
};

}  // namespace seawall::fastcgi
