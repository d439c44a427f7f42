#include "seawall/http/h1_head.h"

#include <llhttp.h>

#include <algorithm>
#include <cstring>

#include "seawall/base/text.h"
#include "seawall/http/grammar.h"
#include "seawall/http/singular.h"
#include "seawall/http/uri.h"

namespace seawall {
namespace {

constexpr std::size_t kEmptyLines = 8;  // before a request line; RFC 9112 2.2 asks for one

// What has come of a line may begin with a method still: something else is refused at once, as by nginx. A browser that speaks
// TLS to a plain port would wait for client_header_timeout.
bool may_begin_request(std::string_view line) {
  return line.empty() || line == "\r" || is_method(line.substr(0, line.find(' ')));
}

// Where llhttp's spans arrive; one head at a time on a thread.
class Fields {
 public:
  Fields(RequestHead& head, const HeadOptions& options) : head_(head), options_(options) {}

  void name(const char* at, std::size_t n) { name_ = extend(name_, at, n); }
  void value(const char* at, std::size_t n) { value_ = extend(value_, at, n); }
  int end_of_name() { return name_.empty() ? HPE_USER : HPE_OK; }  // llhttp 8 lets ": a" pass
  int end_of_value() {
    const bool known = add();
    name_ = value_ = {};
    return known ? HPE_OK : HPE_USER;
  }

 private:
  static std::string_view extend(std::string_view text, const char* at, std::size_t n) {
    return text.empty() ? std::string_view(at, n) : std::string_view(text.data(), static_cast<std::size_t>(at + n - text.data()));
  }
  bool add() {
    while (!value_.empty() && (value_.back() == ' ' || value_.back() == '\t')) value_.remove_suffix(1);
    // obs-fold shows as a line end inside a value; control bytes have no place in one (RFC 9110 5.5).
    if (!is_field_value(value_)) return false;
    if (options_.ignore_invalid_headers && !is_usual_name(name_, options_.underscores_in_headers)) return true;
    head_.headers.add_view(name_, value_, field_id(name_));
    return true;
  }

  RequestHead& head_;
  const HeadOptions& options_;
  std::string_view name_, value_;
};

Fields& fields_of(llhttp_t* parser) { return *static_cast<Fields*>(parser->data); }

const llhttp_settings_t& settings() {
  static const llhttp_settings_t s = [] {
    llhttp_settings_t t;
    llhttp_settings_init(&t);
    t.on_header_field = [](llhttp_t* p, const char* at, std::size_t n) { fields_of(p).name(at, n); return 0; };
    t.on_header_value = [](llhttp_t* p, const char* at, std::size_t n) { fields_of(p).value(at, n); return 0; };
    t.on_header_field_complete = [](llhttp_t* p) { return fields_of(p).end_of_name(); };
    t.on_header_value_complete = [](llhttp_t* p) { return fields_of(p).end_of_value(); };
    t.on_headers_complete = [](llhttp_t*) -> int { return HPE_PAUSED; };
    return t;
  }();
  return s;
}

// The fields go through llhttp behind a request line of its own: method, target and version are parsed here.
constexpr std::string_view kLine = "POST / HTTP/1.1\r\n";

bool run_llhttp(std::string_view fields, Fields& sink) {
  static thread_local const llhttp_t started = [] {
    llhttp_t p;
    llhttp_init(&p, HTTP_REQUEST, &settings());
    llhttp_execute(&p, kLine.data(), kLine.size());
    return p;
  }();
  llhttp_t parser = started;
  parser.data = &sink;
  return llhttp_execute(&parser, fields.data(), fields.size()) == HPE_PAUSED;
}

// METHOD SP target SP HTTP/1.x, one space each.
Result<void> parse_request_line(RequestHead& head, std::string_view line) {
  head.request_line = line;
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Errc::bad_request;
  head.method_name = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_method(head.method_name) || head.target.empty() || head.target.find(' ') != std::string_view::npos) return Errc::bad_request;
  head.method = method_of(head.method_name);
  if (head.target == "*" && head.method != Method::options) return Errc::bad_request;  // the preface of HTTP/2, too
  if (version == "HTTP/1.1") head.version = Version::http11;
  else if (version == "HTTP/1.0") head.version = Version::http10;
  else if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' && is_digit(version[7]))
    return version[5] == '1' || version[5] == '0' ? Errc::bad_request : Errc::bad_version;
  else return Errc::bad_request;
  return {};
}

// How the body is framed. Two answers to that question are an attack, so anything but one is refused.
Result<void> read_framing(RequestHead& head) {
  Headers& h = head.headers;
  if (repeats_singular(h)) return Errc::bad_request;
  if (const Field* te = h.find(FieldId::transfer_encoding)) {
    if (h.has(FieldId::content_length) || head.version == Version::http10) return Errc::bad_request;
    if (!equals_ignoring_case(te->value, "chunked")) return Errc::not_supported;
    head.chunked = true;
  } else if (const Field* length = h.find(FieldId::content_length)) {
    head.content_length = parse_decimal(length->value);
    if (!head.content_length || *head.content_length > INT64_MAX) return Errc::bad_request;
  }
  return {};
}

void read_connection(RequestHead& head) {
  head.keep_alive = head.version == Version::http11;
  for (const Field& field : head.headers.all()) {
    if (field.id != FieldId::connection) continue;
    auto rest = field.value;
    while (auto token = next_list_element(rest)) {
      if (equals_ignoring_case(*token, "close")) head.keep_alive = false;
      else if (equals_ignoring_case(*token, "keep-alive") && head.version == Version::http10) head.keep_alive = true;
    }
  }
  head.expects_continue = head.version == Version::http11 && equals_ignoring_case(head.headers.get(FieldId::expect), "100-continue");
}

// RFC 9112 3.2: one Host, and it is a host; an absolute target's authority wins over it.
Result<void> read_host(RequestHead& head) {
  const std::size_t hosts = head.headers.count(FieldId::host);
  if (hosts > 1 || (hosts == 0 && head.version == Version::http11)) return Errc::bad_request;
  const std::string_view field = head.headers.get(FieldId::host);
  if (hosts == 1 && !head.authority.empty()) {
    if (Result<std::string> valid = parse_host(field); !valid) return valid.error();
  }
  if (head.authority.empty()) head.authority = field;
  if (hosts == 0 && head.authority.empty()) return {};
  Result<std::string> host = parse_host(head.authority);
  if (!host) return host.error();
  const bool is_prefix = head.authority.starts_with(*host);  // mostly: in lower case, and without a final dot
  head.host = is_prefix ? head.authority.substr(0, host->size()) : head.headers.arena().copy(*host);
  return {};
}

// A head whose lines all end in a bare LF, as nginx takes it (RFC 9112 2.2 allows that); rewritten with CRLF into a block
// of its own. A head that mixes both is refused: a front end that disagrees about line ends would see other fields.
Result<Ref<Block>> with_crlf(std::string_view text) {
  if (text.find('\r') != std::string_view::npos) return Errc::bad_request;
  Ref<Block> block = Block::make(text.size() * 2);
  std::size_t n = 0;
  for (char c : text) {
    if (c == '\n') block->data()[n++] = '\r';
    block->data()[n++] = c;
  }
  return block;
}

}  // namespace

std::string_view skip_empty_lines(std::string_view text) {
  for (;;) {
    if (text.starts_with("\r\n")) text.remove_prefix(2);
    else if (text.starts_with('\n')) text.remove_prefix(1);
    else return text;
  }
}

Result<void> HeadReader::check_line(std::size_t length) {
  if (length <= limits_.line()) return {};
  return lines_ == 0 ? Errc::uri_too_long : Errc::header_too_large;
}

Result<std::optional<std::size_t>> HeadReader::scan(std::string_view bytes) {
  while (at_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at_, '\n', bytes.size() - at_);
    if (!found) {
      at_ = bytes.size();
      break;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    std::size_t length = end - line_;
    if (length > 0 && bytes[end - 1] == '\r') --length;
    at_ = end + 1;
    if (Result<void> fits = check_line(length); !fits) return fits.error();
    const bool empty = length == 0;
    // A folded line (RFC 9112 5.2); llhttp lets the first line of a value be empty.
    if (lines_ > 0 && (bytes[line_] == ' ' || bytes[line_] == '\t')) return Errc::bad_request;
    line_ = at_;
    if (at_ > limits_.total()) return Errc::header_too_large;
    if (empty && lines_ > 0) return std::optional<std::size_t>(at_);
    if (empty && ++empty_ > kEmptyLines) return Errc::bad_request;
    if (!empty && ++lines_ > limits_.max_headers + 1) return Errc::header_too_large;
  }
  if (Result<void> fits = check_line(at_ - line_); !fits) return fits.error();
  if (at_ > limits_.total()) return Errc::header_too_large;
  if (lines_ == 0 && !may_begin_request(bytes.substr(line_))) return Errc::bad_request;
  return std::optional<std::size_t>();
}

Result<void> parse_head(Buffer& in, std::size_t size, const HeadOptions& options, RequestHead& head) {
  head.size = size;
  head.storage = in.block();
  std::string_view text = skip_empty_lines(in.view().substr(0, size));
  auto end = text.find('\n');
  if (text[end - 1] == '\r') {
    // llhttp would take a bare LF for the empty line at the end.
    if (!text.ends_with("\r\n\r\n")) return Errc::bad_request;
  } else {
    Result<Ref<Block>> rewritten = with_crlf(text);
    if (!rewritten) return rewritten.error();
    head.storage = *rewritten;
    text = {head.storage->data(), text.size() + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'))};
    end = text.find('\n');
  }
  if (Result<void> ok = parse_request_line(head, text.substr(0, end - 1)); !ok) return ok.error();
  Fields fields(head, options);
  if (!run_llhttp(text.substr(end + 1), fields)) return Errc::bad_request;
  if (Result<void> ok = parse_target(head, options.merge_slashes); !ok) return ok.error();
  if (Result<void> ok = read_host(head); !ok) return ok.error();
  if (Result<void> ok = read_framing(head); !ok) return ok.error();
  read_connection(head);
  in.consume(size);
  return {};
}

}  // namespace seawall
