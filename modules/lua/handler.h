// The hooks that may wait and answer: server_rewrite, rewrite, access and content. One loop.
#pragma once
#include "conf.h"
#include "seawall/module/module.h"

namespace seawall::lua {

Task<Outcome> run_server_rewrite(Exchange& x, const Conf& conf);
Outcome end_failed_set(Exchange& x, const Conf& conf);
Task<Outcome> run_rewrite(Exchange& x, const Conf& conf);
Task<Outcome> run_access(Exchange& x, const Conf& conf);
Task<Outcome> run_content(Exchange& x, const Conf& conf);

}  // namespace seawall::lua
