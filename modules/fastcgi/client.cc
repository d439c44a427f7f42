#include "client.h"

#include "seawall/upstream/cgi_head.h"

namespace seawall::fastcgi {

void Client::restart() {
  records_ = RecordReader();
  head_.clear();
  rest_ = Slice();
  body_ = CgiBody();
  stdout_ended_ = ended_ = false;
  complaint_.clear();
}

Errc Client::refuse(std::string why) {
  complaint_ = std::move(why);
  return Errc::bad_request;
}

void Client::write_head(std::string& out, std::optional<std::uint64_t> length) {
  out.reserve(2048);
  append_begin(out, *conf_.keep_conn);
  const std::size_t begin = begin_stream(out, Type::params);
  const auto append = [&](std::string_view name, std::string_view value) { append_pair(out, name, value); };
  conf_.effective.each(x_, *conf_.pass_request_headers, append, for_cache);
  end_stream(out, Type::params, begin);
  if (length && *length == 0) append_stream(out, Type::stdin_, {});
}

void Client::frame(std::size_t size, bool last, std::string& before, std::string& after) {
  if (size > 0) {
    append_header(before, Type::stdin_, size);
    append_padding(after, size);
  }
  if (last) append_header(after, Type::stdin_, 0);
}

// A line of the program's for the log, without its line end. One that must not be is no response.
Result<void> Client::hear_stderr(std::string_view text, const char* doing) {
  if (text.empty()) return {};
  const auto end = text.find_last_not_of("\r\n. ");
  const std::string_view said = text.substr(0, end == text.npos ? 0 : end + 1);
  x_.log(Level::error, "FastCGI sent in stderr: \"" + std::string(said) + "\" while " + doing);
  for (const std::string& caught : *conf_.catch_stderr)
    if (said.find(caught) != said.npos) return refuse("FastCGI sent \"" + caught + "\" in stderr, which fastcgi_catch_stderr names");
  return {};
}

// What came before waits in head_.
Result<std::optional<UpstreamHead>> Client::take_head(const Slice& data) {
  if (!head_.empty()) head_ += data.view();
  const std::string_view all = head_.empty() ? data.view() : head_;
  UpstreamHead head;
  const auto size = parse_cgi_head(all, head, complaint_);
  if (!size) return size.error();
  if (!*size) {
    if (all.size() >= static_cast<std::size_t>(*conf_.buffer_size)) return refuse("upstream sent too big header");
    if (head_.empty()) head_ = all;
    return std::optional<UpstreamHead>();
  }
  const bool nobody = x_.request.method == Method::head || head.status == 204 || head.status == 304;
  body_.begin(head, nobody);
  // An empty rest would keep the memory that was read into.
  rest_ = all.size() == **size ? Slice() : head_.empty() ? data.sub(**size) : Slice::from(head_.substr(**size));
  head_.clear();
  return std::optional<UpstreamHead>(std::move(head));
}

Result<std::optional<UpstreamHead>> Client::read_head(Buffer& in) {
  for (;;) {
    const auto part = records_.next(in);
    if (!part) return refuse(records_.complaint);
    if (!*part) return std::optional<UpstreamHead>();
    const std::string_view data = (*part)->data.view();
    if ((*part)->type == Type::stderr_) {
      if (Result<void> heard = hear_stderr(data, "reading response header from upstream"); !heard) return heard.error();
      continue;
    }
    if (data.empty()) return refuse("upstream prematurely closed FastCGI stdout");
    auto head = take_head((*part)->data);
    if (!head || *head) return head;
  }
}

Result<std::optional<Piece>> Client::end() {
  if (!body_.is_whole()) return refuse("upstream prematurely closed FastCGI stdout");
  return std::optional<Piece>(Piece(Slice(), true));
}

Result<std::optional<Piece>> Client::read_body(Buffer& in) {
  if (!rest_.empty()) {
    const Slice rest = std::exchange(rest_, Slice());
    if (const std::size_t n = body_.take(rest.size()); n > 0) return std::optional<Piece>(Piece(rest.sub(0, n), false));
  }
  for (;;) {
    const auto part = records_.next(in);
    if (!part) return refuse(records_.complaint);
    if (!*part) return std::optional<Piece>();
    const Slice& data = (*part)->data;
    switch ((*part)->type) {
      case Type::stderr_:
        if (Result<void> heard = hear_stderr(data.view(), "reading upstream"); !heard) return heard.error();
        break;
      case Type::end_request: ended_ = true; return end();
      default:
        if (data.empty()) {
          stdout_ended_ = true;  // what follows is the request's end, or the connection's
        } else if (const std::size_t n = body_.take(data.size()); n > 0) {
          return std::optional<Piece>(Piece(data.sub(0, n), false));
        }
    }
  }
}

}  // namespace seawall::fastcgi
