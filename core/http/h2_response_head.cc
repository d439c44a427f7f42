#include "seawall/http/h2_response_head.h"

#include <algorithm>

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"
#include "seawall/http/grammar.h"

namespace seawall {
namespace {

// What may stand in a name (RFC 9113 8.2.1).
constexpr ByteSet kName([](char c) { return c > 0x20 && c < 0x7f && c != ':' && !(c >= 'A' && c <= 'Z'); });

// Fields that speak of one HTTP/1 connection (RFC 9113 8.2.2).
bool is_of_connection(FieldId id) {
  switch (id) {
    case FieldId::connection: case FieldId::keep_alive: case FieldId::proxy_connection: case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    default: return false;
  }
}

// Fields that frame or describe a message have no place behind it (RFC 9110 6.5.1).
bool belongs_in_front(FieldId id) {
  switch (id) {
    case FieldId::content_length: case FieldId::trailer: case FieldId::content_type: case FieldId::content_encoding:
    case FieldId::content_range: case FieldId::set_cookie: case FieldId::www_authenticate: case FieldId::location: return true;
    default: return false;
  }
}

// Text of an upstream in a message of ours: short, without control bytes.
std::string shown(std::string_view name, std::string_view value) {
  std::string out = "\"";
  const auto append = [&out](std::string_view text) {
    for (const char c : text.substr(0, 100)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
  };
  append(name);
  out += ": ";
  append(value);
  return out + '"';
}

}  // namespace

void H2ResponseHead::begin(bool trailers, std::size_t limit) {
  trailers_ = trailers;
  limit_ = limit;
  size_ = 0;
  status = 0;
  headers = Headers();
  length.reset();
  complaint.clear();
}

void H2ResponseHead::refuse(std::string why) {
  if (complaint.empty()) complaint = std::move(why);
}

void H2ResponseHead::add(std::string_view name, std::string_view value) {
  if (!complaint.empty()) return;
  size_ += name.size() + value.size();
  if (size_ > limit_) return refuse("upstream sent too big header");
  const char* const what = trailers_ ? "upstream sent invalid trailer " : "upstream sent invalid header ";
  const bool pseudo = name.starts_with(':');
  const std::string_view rest = pseudo ? name.substr(1) : name;
  if (rest.empty() || !kName.has_all(rest) || !is_field_value(value)) return refuse(what + shown(name, value));
  if (pseudo) return trailers_ ? refuse(what + shown(name, value)) : add_pseudo(name, value);
  if (!trailers_ && status == 0) return refuse("upstream sent no :status header");
  const FieldId id = field_id(name);
  if (is_of_connection(id)) return refuse(what + shown(name, value));
  if (trailers_ && belongs_in_front(id)) return;
  headers.add(name, value);
}

void H2ResponseHead::add_pseudo(std::string_view name, std::string_view value) {
  if (name != ":status" || !headers.empty()) return refuse("upstream sent invalid header " + shown(name, value));
  if (status != 0) return refuse("upstream sent duplicate :status header");
  const auto number = parse_decimal(value);
  if (value.size() != 3 || !number || *number < 100) return refuse("upstream sent invalid :status \"" + std::string(value.substr(0, 100)) + "\"");
  // HTTP/2 has no way to switch to another protocol (RFC 9113 8.6).
  if (*number == 101) return refuse("upstream sent unexpected :status \"101\"");
  status = static_cast<int>(*number);
}

// Two lengths are none.
void H2ResponseHead::read_length() {
  if (headers.count(FieldId::content_length) > 1) return refuse("upstream sent duplicate header line: \"Content-Length\"");
  const Field* field = headers.find(FieldId::content_length);
  if (!field) return;
  length = parse_decimal(field->value);
  if (!length || *length > INT64_MAX)
    refuse("upstream sent invalid \"Content-Length\" header: \"Content-Length: " + std::string(field->value) + "\"");
}

void H2ResponseHead::end() {
  if (!complaint.empty() || trailers_) return;
  if (status == 0) return refuse("upstream sent no :status header");
  read_length();
}

}  // namespace seawall
