// `seawall acme list | renew NAME | revoke NAME | import-certbot FOLDER | test [NAME]`, in a process of its own.
#pragma once
#include <string>
#include <vector>

#include "conf.h"

namespace seawall::acme {

int run_command(const Conf& conf, const std::vector<std::string>& words);

}  // namespace seawall::acme
