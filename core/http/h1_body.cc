#include "seawall/http/h1_body.h"

#include "seawall/base/text.h"

namespace seawall {
namespace {

// Size line, extensions and trailers together, between two pieces of data: a client has no use for more.
constexpr std::size_t kLargestOverhead = 8192;
constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

bool is_forbidden(FieldId id) {
  switch (id) {
    case FieldId::content_length: case FieldId::transfer_encoding: case FieldId::host: case FieldId::trailer:
    case FieldId::content_encoding: case FieldId::content_type: case FieldId::content_range: case FieldId::connection:
    case FieldId::authorization: case FieldId::cookie: case FieldId::te: case FieldId::upgrade:
      return true;
    default: return false;
  }
}

}  // namespace

const llhttp_settings_t& ChunkedDecoder::settings() {
  static const llhttp_settings_t s = [] {
    llhttp_settings_t t;
    llhttp_settings_init(&t);
    t.on_body = [](llhttp_t* p, const char* at, std::size_t n) {
      self(p).fed_->data.emplace_back(at, n);
      return 0;
    };
    t.on_header_field = [](llhttp_t* p, const char* at, std::size_t n) { return self(p).fed_ ? (self(p).name_.append(at, n), 0) : 0; };
    t.on_header_value = [](llhttp_t* p, const char* at, std::size_t n) { return self(p).fed_ ? (self(p).value_.append(at, n), 0) : 0; };
    t.on_header_value_complete = [](llhttp_t* p) { return self(p).fed_ ? self(p).end_of_trailer() : 0; };
    t.on_message_complete = [](llhttp_t* p) -> int {
      self(p).fed_->done = true;
      return HPE_PAUSED;
    };
    return t;
  }();
  return s;
}

ChunkedDecoder::ChunkedDecoder() {
  llhttp_init(&parser_, HTTP_REQUEST, &settings());
  parser_.data = this;
  llhttp_execute(&parser_, kHead.data(), kHead.size());
}

int ChunkedDecoder::end_of_trailer() {
  const FieldId id = field_id(name_);
  const bool valid = !name_.empty() && value_.find_first_of("\r\n") == std::string::npos;
  if (valid && !is_forbidden(id)) trailers_.add(name_, trim(value_));
  name_.clear();
  value_.clear();
  return valid ? HPE_OK : HPE_USER;
}

Result<ChunkedDecoder::Fed> ChunkedDecoder::feed(std::string_view in) {
  Fed fed;
  fed_ = &fed;
  const llhttp_errno_t error = llhttp_execute(&parser_, in.data(), in.size());
  fed_ = nullptr;
  if (error != HPE_OK && !(error == HPE_PAUSED && fed.done)) return Errc::bad_request;
  fed.consumed = error == HPE_OK ? in.size() : static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - in.data());
  std::size_t data = 0;
  for (std::string_view part : fed.data) data += part.size();
  // Framing that grows faster than the data it frames is somebody's attack: one byte a chunk is the worst that is taken.
  overhead_ = data > 0 ? 0 : overhead_ + fed.consumed;
  if (overhead_ > kLargestOverhead || fed.consumed > kLargestOverhead + data * 8) return Errc::bad_request;
  return fed;
}

}  // namespace seawall
