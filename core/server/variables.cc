// The core's variables, put together from their parts, and what the parts share. Any thread.
#include "seawall/server/variables.h"

#include <charconv>
#include <vector>

#include "seawall/base/text.h"
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

std::span<const VariableRow> all_variables() {
  static const std::vector<VariableRow> rows = [] {
    std::vector<VariableRow> all;
    for (auto part : {request_variables(), field_variables(), connection_variables(), response_variables(),
                      process_variables(), file_variables(), capture_variables()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

bool same_name(std::string_view field, std::string_view name) {
  if (field.size() != name.size()) return false;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const char c = field[i] == '-' ? '_' : to_lower(field[i]);
    if (c != name[i]) return false;
  }
  return true;
}

}  // namespace

const std::span<const VariableRow> CoreModule::variables = all_variables();

bool append_fields(const Headers& headers, std::string_view name, std::string_view separator, std::string& out) {
  bool found = false;
  for (const Field& field : headers.all()) {
    if (!same_name(field.name, name)) continue;
    if (found) out.append(separator);
    out.append(field.value);
    found = true;
  }
  return found;
}

void append_number(std::uint64_t value, std::string& out) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_seconds(std::int64_t nanoseconds, std::string& out) {
  const auto milliseconds = static_cast<std::uint64_t>(nanoseconds > 0 ? nanoseconds / 1'000'000 : 0);
  append_number(milliseconds / 1000, out);
  const auto rest = static_cast<unsigned>(milliseconds % 1000);
  const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                           static_cast<char>('0' + rest % 10)};
  out.append(decimals, sizeof decimals);
}

}  // namespace seawall
