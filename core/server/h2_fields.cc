#include "seawall/server/h2_fields.h"

#include <algorithm>

#include "seawall/base/bytes.h"

namespace seawall {
namespace {

bool breaks_fields(char c) { return c == '\r' || c == '\n' || c == 0; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

bool is_of_connection(FieldId id) {
  switch (id) {
    case FieldId::connection: case FieldId::keep_alive: case FieldId::proxy_connection: case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    default: return false;
  }
}

std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data() ? text.data() : ""));
}

}  // namespace

void H2Fields::add(std::string_view name, std::string_view value) {
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  if (has_control(value) && std::any_of(value.begin(), value.end(), breaks_fields)) {
    std::string& clean = cleaned_.emplace_back(value);
    std::erase_if(clean, breaks_fields);
    value = clean;
  }
  if (fields_.capacity() == 0) fields_.reserve(16);
  fields_.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

void H2Fields::add_all(const Headers& headers) {
  for (const Field& field : headers.all()) {
    if (field.value.empty() && (field.id == FieldId::server || field.id == FieldId::date)) continue;  // as in HTTP/1: no field at all
    if (!is_of_connection(field.id) && !field.name.empty()) add(field.name, field.value);
  }
}

}  // namespace seawall
