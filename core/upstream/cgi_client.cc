#include "seawall/upstream/cgi_client.h"

#include "seawall/upstream/cgi_head.h"

namespace seawall {

void CgiClient::restart() {
  body_ = CgiBody();
  complaint_.clear();
}

Result<std::optional<UpstreamHead>> CgiClient::read_head(Buffer& in) {
  UpstreamHead head;
  const auto size = parse_cgi_head(in.view(), head, complaint_);
  if (!size) return size.error();
  if (!*size) return std::optional<UpstreamHead>();
  in.consume(**size);
  body_.begin(head, x_.request.method == Method::head || head.status == 204 || head.status == 304);
  return std::optional<UpstreamHead>(std::move(head));
}

Result<std::optional<Piece>> CgiClient::read_body(Buffer& in) {
  if (body_.is_over()) return std::optional<Piece>(Piece(Slice(), true));
  if (in.empty()) return std::optional<Piece>();
  Slice data = in.take(in.size());
  data = data.sub(0, body_.take(data.size()));
  return std::optional<Piece>(Piece(std::move(data), body_.is_over()));
}

}  // namespace seawall
