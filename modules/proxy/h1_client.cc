#include "h1_client.h"

#include <algorithm>
#include <charconv>

#include "seawall/base/text.h"

namespace seawall::proxy {
namespace {

void append_hex(std::string& out, std::size_t number) {
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

bool has_token(const Headers& headers, FieldId id, std::string_view token) {
  for (const Field& field : headers.all()) {
    if (field.id != id) continue;
    std::string_view rest = field.value;
    while (auto element = next_list_element(rest))
      if (equals_ignoring_case(*element, token)) return true;
  }
  return false;
}

Slice slice_of(const Ref<Block>& block, std::string_view part) { return Slice(Ref<Owner>(block), part); }

}  // namespace

H1Client::H1Client(Exchange& x, const Conf& conf, Destination&& to, std::string method)
    : x_(x), conf_(conf), to_(std::move(to)), method_(std::move(method)) {}

void H1Client::restart() {
  framing_ = Framing::none;
  left_ = 0;
  length_.reset();
  chunks_.reset();
  keeps_ = switched_ = false;
  complaint_.clear();
}

void H1Client::write_head(std::string& out, std::optional<std::uint64_t> length) {
  const bool http11 = *conf_.version == HttpVersion::http11;
  out.reserve(1024);
  out.append(asked_method()).append(" ").append(to_.uri).append(http11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  RequestFields::Facts facts;
  facts.default_host = to_.host;
  facts.needs_host = http11;
  facts.passes_client = *conf_.pass_request_headers;
  facts.for_cache = &for_cache;
  asks_upgrade_ = conf_.fields.write(x_, facts, out);
  chunks_request_ = !length;
  if (chunks_request_) out += "Transfer-Encoding: chunked\r\n";
  else if (*length > 0 || x_.body.present() || x_.request.headers.has(FieldId::content_length) || method_ == "POST" || method_ == "PUT")
    out.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  out += "\r\n";
}

void H1Client::frame(std::size_t size, bool last, std::string& before, std::string& after) {
  if (!chunks_request_) return;
  if (size > 0) {
    append_hex(before, size);
    before += "\r\n";
    after += "\r\n";
  }
  if (last) after += "0\r\n\r\n";
}

Errc H1Client::refuse(std::string why) {
  complaint_ = std::move(why);
  return Errc::bad_request;
}

// Two answers to where the body ends are none.
Result<void> H1Client::read_framing(const H1ResponseHead& head) {
  const Headers& h = head.headers;
  if (h.count(FieldId::content_length) > 1) return refuse("upstream sent duplicate header line: \"Content-Length\"");
  if (h.count(FieldId::transfer_encoding) > 1) return refuse("upstream sent duplicate header line: \"Transfer-Encoding\"");
  const Field* length = h.find(FieldId::content_length);
  const Field* coding = h.find(FieldId::transfer_encoding);
  if (length && coding) return refuse("upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time");
  if (coding && !equals_ignoring_case(coding->value, "chunked"))
    return refuse("upstream sent unknown \"Transfer-Encoding\": \"" + std::string(coding->value) + "\"");
  if (length) {
    length_ = parse_decimal(length->value);
    if (!length_ || *length_ > INT64_MAX)
      return refuse("upstream sent invalid \"Content-Length\" header: \"Content-Length: " + std::string(length->value) + "\"");
  }
  const bool bodyless = asked_method() == "HEAD" || head.status == 204 || head.status == 304 || head.status == 101;
  if (bodyless) framing_ = Framing::none;
  else if (coding) framing_ = Framing::chunked;
  else if (length) framing_ = Framing::length;
  else framing_ = Framing::until_close;
  if (framing_ == Framing::chunked) chunks_.emplace();
  left_ = length_.value_or(0);
  return {};
}

Result<std::optional<UpstreamHead>> H1Client::read_head(Buffer& in) {
  for (;;) {
    H1ResponseHead head;
    const Result<std::optional<std::size_t>> size = head.parse(in.view());
    if (!size) return refuse(head.complaint);
    if (!*size) return std::optional<UpstreamHead>();
    if (head.status < 200 && head.status != 101 && head.status != 103) {  // 100 and what may come: only the last one answers
      in.consume(**size);
      continue;
    }
    if (head.status != 103)
      if (Result<void> framed = read_framing(head); !framed) return framed.error();
    keeps_ = head.minor_version >= 1 ? !has_token(head.headers, FieldId::connection, "close")
                                     : has_token(head.headers, FieldId::connection, "keep-alive");
    switched_ = head.status == 101 && asks_upgrade_ && !x_.parent &&
                (x_.request.version == Version::http11 || !x_.request.tunnel.empty());
    UpstreamHead found;
    found.status = head.status;
    found.headers = std::move(head.headers);
    found.storage = Ref<Owner>(in.block());
    found.length = length_;
    in.consume(**size);
    return std::optional<UpstreamHead>(std::move(found));
  }
}

Result<std::optional<Piece>> H1Client::read_chunked(Buffer& in) {
  if (in.empty()) return std::optional<Piece>();
  const Result<ChunkedDecoder::Fed> fed = chunks_->feed(in.view());
  if (!fed) return refuse("upstream sent invalid chunked response");
  Slice data;
  if (fed->data.size() == 1) {
    data = slice_of(in.block(), fed->data.front());
  } else if (!fed->data.empty()) {
    std::string joined;
    for (const std::string_view part : fed->data) joined.append(part);
    data = Slice::from(std::move(joined));
  }
  in.consume(fed->consumed);
  if (data.empty() && !fed->done) return std::optional<Piece>();
  return std::optional<Piece>(Piece(std::move(data), fed->done));
}

Result<std::optional<Piece>> H1Client::read_body(Buffer& in) {
  switch (framing_) {
    case Framing::none: return std::optional<Piece>(Piece(Slice(), true));
    case Framing::chunked: return read_chunked(in);
    case Framing::until_close:
      if (in.empty()) return std::optional<Piece>();
      return std::optional<Piece>(Piece(in.take(in.size()), false));
    case Framing::length: break;
  }
  if (left_ > 0 && in.empty()) return std::optional<Piece>();
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  left_ -= n;
  return std::optional<Piece>(Piece(in.take(n), left_ == 0));
}

Headers H1Client::take_trailers() {
  Headers taken;
  if (chunks_)
    for (const Field& field : chunks_->trailers().all()) taken.add(field.name, field.value);
  return taken;
}

bool rewrite_field(Exchange& x, const Conf& conf, const Field& field, std::string& value) {
  if (field.id == FieldId::set_cookie) return rewrite_cookie(x, conf, field.value, value);
  if (field.id == FieldId::location) return rewrite_location(x, conf.effective_redirects, field.value, value);
  return rewrite_refresh(x, conf.effective_redirects, field.value, value);
}

}  // namespace seawall::proxy
