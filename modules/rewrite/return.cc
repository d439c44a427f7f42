#include "return.h"

#include "seawall/base/text.h"
#include "seawall/server/content_type.h"
#include "seawall/server/error_pages.h"

namespace seawall::rewrite {
namespace {

bool is_url(std::string_view word) {
  return word.starts_with("http://") || word.starts_with("https://") || word.starts_with("$scheme");
}

bool redirects(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string without_controls(std::string_view location) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(location.size());
  for (const char c : location) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) out.push_back(c);
    else out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

Return::Return(const Invocation& in) {
  const std::string* text = nullptr;
  if (const auto code = parse_decimal(in.arg(0)); code && *code <= 999) {
    status_ = static_cast<int>(*code);
    if (in.args().size() > 1) text = &in.arg(1);
  } else if (!code && in.args().size() == 1 && is_url(in.arg(0))) {
    text = &in.arg(0);
  } else {
    throw ConfigError("invalid return code \"" + in.arg(0) + "\"");
  }
  bare_ = !text || text->empty();
  if (bare_) return;
  text_ = in.compile(*text);
  if (text_.is_literal()) literal_ = Slice::copy(text_.source());
}

Outcome Return::run(Exchange& x, const Progress&) const {
  if (status_ == 444) return Abort{};
  if (redirects(status_)) return redirect(x);
  if (bare_ && status_ >= 400) return Response(status_);  // a default page, or what error_page says
  Response response(status_);
  if (bare_) response.body = Slice();
  else response.body = text_.is_literal() ? literal_ : Slice::from(text_.eval(x));
  if (status_ == 204 || status_ == 304) return response;
  if (const std::string_view type = content_type_of(x); !type.empty())
    response.headers.add_view("Content-Type", type, FieldId::content_type);
  return response;
}

Response Return::redirect(Exchange& x) const {
  Response response(status_);
  if (bare_) return response;
  const std::string location = without_controls(text_.eval(x));
  if (!location.empty()) response.headers.set("Location", absolute_location(x, location));
  return response;
}

}  // namespace seawall::rewrite
