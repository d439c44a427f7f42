// The error log until the configuration says where: -e, else logs/error.log. Before any thread.
#pragma once
#include <memory>

#include "seawall/log/log.h"
#include "seawall/process/options.h"

namespace seawall {

// Opened once. Standard error, and a word about it there, when the file cannot be opened.
std::shared_ptr<LogSink> first_log(const Options& options);

}  // namespace seawall
