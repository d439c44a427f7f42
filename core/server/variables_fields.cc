// Variables out of request fields: $http_*, $cookie_*, $arg_*, the length and type of the body, the user of Basic
// authentication. Any loop.
#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/http/basic_credentials.h"
#include "seawall/server/cookie.h"
#include "seawall/server/exchange.h"
#include "seawall/server/variables.h"

namespace seawall {
namespace {

bool http_field(Exchange& x, std::string_view rest, const void*, std::string& out) {
  return append_fields(x.request.headers, rest, ", ", out);
}

// RFC 9113 8.2.3: split Cookie fields join with "; ".
bool http_cookie(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_fields(x.request.headers, "cookie", "; ", out);
}

bool content_type(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_fields(x.request.headers, "content_type", ", ", out);
}

// A chunked body has a length once it has been read or kept.
bool content_length(Exchange& x, std::string_view, const void*, std::string& out) {
  if (const Field* field = x.request.headers.find(FieldId::content_length)) out.append(field->value);
  else if (x.body.present() && x.body.kept()) append_number(x.body.kept()->size(), out);
  else if (x.body.file()) append_number(x.body.file()->length, out);
  else if (x.request.chunked && x.body.ended()) append_number(x.body.received(), out);
  else return false;
  return true;
}

bool cookie(Exchange& x, std::string_view rest, const void*, std::string& out) {
  const auto value = find_cookie(x.request.headers, rest);
  if (value) out.append(*value);
  return value.has_value();
}

bool argument(Exchange& x, std::string_view rest, const void*, std::string& out) {
  if (rest.empty()) return false;
  for (std::string_view args = x.args; !args.empty();) {
    const std::string_view pair = args.substr(0, args.find('&'));
    if (pair.size() > rest.size() && pair[rest.size()] == '=' && equals_ignoring_case(pair.substr(0, rest.size()), rest)) {
      out.append(pair.substr(rest.size() + 1));
      return true;
    }
    args.remove_prefix(std::min(pair.size() + 1, args.size()));
  }
  return false;
}

// Whether the password is right is not asked here.
bool remote_user(Exchange& x, std::string_view, const void*, std::string& out) {
  const auto credentials = basic_credentials(x.request.headers);
  if (credentials) out.append(credentials->user);
  return credentials.has_value();
}

constexpr VariableRow rows[] = {
    {"arg_*", argument},       {"content_length", content_length}, {"content_type", content_type},
    {"cookie_*", cookie},      {"http_*", http_field},             {"http_cookie", http_cookie},
    {"remote_user", remote_user},
};

}  // namespace

std::span<const VariableRow> field_variables() { return rows; }

}  // namespace seawall
