// The hooks that may wait and answer: server_rewrite, rewrite, access and content. One loop.
#pragma once
#include "conf.h"
#include "seawall/module/module.h"

namespace seawall::lua {

Rest run_server_rewrite(Exchange& x, const Conf& conf, Outcome& outcome);
Outcome end_failed_set(Exchange& x, const Conf& conf);
Rest run_rewrite(Exchange& x, const Conf& conf, Outcome& outcome);
Rest run_access(Exchange& x, const Conf& conf, Outcome& outcome);
Rest run_content(Exchange& x, const Conf& conf, Outcome& outcome);

}  // namespace seawall::lua
