#include <stdexcept>

#include "seawall/log/log.h"

namespace seawall {

std::shared_ptr<LogSink> syslog_sink(std::string_view) { throw std::invalid_argument("syslog is not supported yet"); }

}  // namespace seawall
