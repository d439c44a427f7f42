// The error log until the configuration says where: -e, else logs/error.log. Before any thread.
#pragma once
#include <memory>
#include <string>

#include "seawall/log/log.h"
#include "seawall/process/options.h"

namespace seawall {

std::string first_log_path(const Options& options);
// One for as long as somebody holds it. Standard error, and a word about it there, when the file cannot be opened.
std::shared_ptr<LogSink> first_log(const Options& options);

}  // namespace seawall
