#include "added_field.h"

#include <algorithm>

#include "seawall/http/date.h"

namespace seawall::headers {

AddedField::AddedField(const Invocation& in) : name(in.arg(0)), id(field_id(in.arg(0))), value(in.compile(in.arg(1))) {
  if (in.args().size() == 2) return;
  if (in.arg(2) != "always") throw ConfigError("invalid parameter \"" + in.arg(2) + "\"");
  always = true;
}

bool is_decorated(int status) {
  static constexpr int statuses[] = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};
  return std::find(std::begin(statuses), std::end(statuses), status) != std::end(statuses);
}

void add_to_fields(const AddedField& field, Exchange& x, Headers& fields) {
  if (field.value.is_literal()) {
    if (!field.value.empty()) fields.add_view(field.name, field.value.source(), field.id);
    return;
  }
  const std::string value = field.value.eval(x);
  if (!value.empty()) fields.add_view(field.name, fields.arena().copy(value), field.id);
}

namespace {

void replace(const AddedField& field, std::string_view value, Response& response) {
  if (value.empty()) response.headers.remove(field.id);
  else response.headers.set(field.name, value);
}

}  // namespace

void add_to_head(const AddedField& field, Exchange& x, Response& response) {
  if (field.id != FieldId::last_modified && field.id != FieldId::etag) return add_to_fields(field, x, response.headers);
  const std::string value = field.value.eval(x);
  replace(field, value, response);
  if (field.id == FieldId::last_modified) response.last_modified = parse_http_date(value);
}

}  // namespace seawall::headers
