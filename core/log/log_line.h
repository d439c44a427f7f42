// One line of the error log, in nginx's text or as an object of JSON; at most PIPE_BUF bytes, with its end. Any thread.
#pragma once
#include <string>
#include <string_view>

#include "seawall/log/log_form.h"

namespace seawall {

std::string text_line(Level level, const LogAbout& about, std::string_view message, bool with_request_id);
// {"time":"2026-11-27T10:00:00.123+01:00","level":"error","pid":1,"tid":1,"connection":7,"request_id":"...","message":"...",
// "client":"...", ...}. Bytes that are no UTF-8 and controls are written as in text (\xE9), so that it is JSON whatever came.
std::string json_line(Level level, const LogAbout& about, std::string_view message);

}  // namespace seawall
