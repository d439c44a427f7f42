#include "seawall/http/h1_body.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall {
namespace {

// One size line with its extensions, or all trailers together: a client has no use for more.
constexpr std::size_t kLongestLine = 8192;
// Framing that grows faster than the data it frames is somebody's attack: one byte a chunk is the worst that is taken.
constexpr std::uint64_t kFramingPerByte = 8;
// Sixteen digits are 64 bits; leading zeros have no use but to overflow somebody's counter.
constexpr int kMostDigits = 16;

bool is_token(char c) { return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; }
bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

bool is_forbidden(FieldId id) {
  switch (id) {
    case FieldId::content_length: case FieldId::transfer_encoding: case FieldId::host: case FieldId::trailer:
    case FieldId::content_encoding: case FieldId::content_type: case FieldId::content_range: case FieldId::connection:
    case FieldId::authorization: case FieldId::cookie: case FieldId::te: case FieldId::upgrade: case FieldId::expect:
    case FieldId::range: case FieldId::keep_alive: case FieldId::proxy_connection: case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_proto: case FieldId::x_real_ip: case FieldId::forwarded:
      return true;
    default: return false;
  }
}

}  // namespace

bool ChunkedDecoder::size_digit(char c) {
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kMostDigits) return false;
  left_ = left_ << 4 | static_cast<std::uint64_t>(value);
  return true;
}

bool ChunkedDecoder::end_of_size() {
  if (left_ > INT64_MAX) return false;
  state_ = left_ > 0 ? State::data : State::trailer;
  digits_ = 0;
  line_ = 0;
  return true;
}

// "Name: value"; an empty line is the end. A line that begins with a space would continue the one before (obs-fold).
bool ChunkedDecoder::end_of_trailer() {
  if (trailer_.empty()) {
    state_ = State::done;
    return true;
  }
  const std::string_view line = trailer_;
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), is_token)) return false;
  if (!is_forbidden(field_id(name))) trailers_.add(name, trim(line.substr(colon + 1)));
  trailer_.clear();
  state_ = State::trailer;
  return true;
}

// One byte that is not data.
bool ChunkedDecoder::step(char c) {
  if (++line_ > kLongestLine) return false;
  switch (state_) {
    case State::size:
      if (c == '\r' && digits_ > 0) state_ = State::size_end;
      else if (c == ';' && digits_ > 0) state_ = State::extension_name;
      else return size_digit(c);
      return true;
    case State::extension_name:
      state_ = State::extension;
      return is_token(c);
    case State::extension:
      if (c == '\r') state_ = State::size_end;
      return c == '\r' || is_text(c);
    case State::size_end: return c == '\n' && end_of_size();
    case State::data_return: state_ = State::data_end; return c == '\r';
    case State::data_end:
      state_ = State::size;
      line_ = 0;
      return c == '\n';
    case State::trailer:
      if (c == '\r') state_ = State::trailer_end;
      else trailer_ += c;
      return c == '\r' || is_text(c);
    case State::trailer_end: return c == '\n' && end_of_trailer();
    case State::data:
    case State::done: break;
  }
  return false;
}

Result<ChunkedDecoder::Fed> ChunkedDecoder::feed(std::string_view in) {
  Fed fed;
  std::size_t at = 0;
  while (at < in.size() && state_ != State::done) {
    if (state_ != State::data) {
      if (!step(in[at++]) || ++framing_ > kLongestLine + kFramingPerByte * data_) return Errc::bad_request;
      continue;
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
    fed.data.push_back(in.substr(at, n));
    at += n;
    data_ += n;
    left_ -= n;
    if (left_ == 0) state_ = State::data_return;
  }
  fed.consumed = at;
  fed.done = state_ == State::done;
  return fed;
}

}  // namespace seawall
