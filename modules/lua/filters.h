// header_filter_by_lua and body_filter_by_lua, and what earlier scripts have said of a response that another module made. One loop.
#pragma once
#include "conf.h"
#include "seawall/module/module.h"

namespace seawall::lua {

Result<void> run_filters(Exchange& x, Response& response, const Conf& conf);

// What ngx.arg is in body_filter_by_lua.
class FilteredPiece {
 public:
  std::string_view data;
  bool last = false;
  std::string changed;       // what a script has put in its place
  bool is_changed = false;
};

}  // namespace seawall::lua
