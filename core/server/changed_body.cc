#include "seawall/server/changed_body.h"

#include <string>

#include "seawall/http/message.h"

namespace seawall {

void body_changes(Response& response) {
  response.accept_ranges = false;
  Headers& headers = response.headers;
  headers.remove(FieldId::accept_ranges);
  const std::string_view etag = headers.get(FieldId::etag);
  if (etag.empty() || etag.starts_with("W/")) return;
  if (etag.starts_with('"')) headers.set("ETag", "W/" + std::string(etag));
  else headers.remove(FieldId::etag);
}

void forget_version(Response& response) {
  response.last_modified.reset();
  response.headers.remove(FieldId::last_modified);
  response.headers.remove(FieldId::etag);
}

}  // namespace seawall
