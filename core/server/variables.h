// The parts of the core's variable table. Each returns rows that live forever; any thread.
#pragma once
#include <span>
#include <string_view>

#include "seawall/config/variable.h"
#include "seawall/http/headers.h"

namespace seawall {

std::span<const VariableRow> request_variables();     // the request line, its URI and arguments, the body
std::span<const VariableRow> field_variables();       // $http_*, $cookie_*, $arg_* and single request fields
std::span<const VariableRow> connection_variables();  // addresses, counters, TCP
std::span<const VariableRow> response_variables();    // status, $sent_http_*, sizes
std::span<const VariableRow> process_variables();     // pid, clock, names
std::span<const VariableRow> file_variables();        // document_root, request_filename ...
std::span<const VariableRow> capture_variables();     // $0 .. $9

// The values of all fields whose name is `name` when '-' is written '_' and case is ignored, joined by `separator`
// (nginx 1.23 and up). False: there is none.
bool append_fields(const Headers& headers, std::string_view name, std::string_view separator, std::string& out);
// A decimal number; seconds with three decimals from nanoseconds.
void append_number(std::uint64_t value, std::string& out);
void append_seconds(std::int64_t nanoseconds, std::string& out);

}  // namespace seawall
