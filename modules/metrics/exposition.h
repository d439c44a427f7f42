// What was gathered, as text: Prometheus' format 0.0.4 and OpenMetrics 1.0.0. Any thread.
#pragma once
#include <string>

#include "seawall/observe/gathering.h"

namespace seawall::metrics {

enum class Format { prometheus, openmetrics };
std::string exposition(const Gathering& gathered, Format format);
const char* content_type_of(Format format);

}  // namespace seawall::metrics
