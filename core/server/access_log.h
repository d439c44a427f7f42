#pragma once
#include <cstdint>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;
void log_exchange(Exchange& x);
void reopen_access_logs();
void flush_access_logs();
std::int64_t next_access_log_flush();
void flush_due_access_logs(std::int64_t now);

}  // namespace seawall
