// HTTP/1 as spoken to an upstream: the request as text, the response taken apart. One for a request; one loop.
#pragma once
#include "conf.h"
#include "seawall/http/h1_body.h"
#include "seawall/http/h1_response_head.h"
#include "seawall/upstream/protocol.h"

namespace seawall::proxy {

// A field of a response as the client is to see it; false: as it is.
bool rewrite_field(Exchange& x, const Conf& conf, const Field& field, std::string& value);

class H1Client final : public UpstreamProtocol {
 public:
  // Both outlive it.
  H1Client(Exchange& x, const Conf& conf, Destination&& to, std::string method);

  std::string_view scheme() const override { return to_.tls ? "https://" : "http://"; }
  const std::string& uri() const override { return to_.uri; }
  void restart() override;
  void write_head(std::string& out, std::optional<std::uint64_t> length) override;
  void frame(std::size_t size, bool last, std::string& before, std::string& after) override;
  Result<std::optional<UpstreamHead>> read_head(Buffer& in) override;
  Result<std::optional<Piece>> read_body(Buffer& in) override;
  bool may_end_here() const override { return framing_ == Framing::until_close; }
  bool is_reusable() const override { return keeps_ && framing_ != Framing::until_close; }
  Headers take_trailers() override;
  bool can_ask_as_get() const override { return true; }
  const std::string& complaint() const override { return complaint_; }
  bool has_switched() const override { return switched_; }
  bool rewrite(const Field& field, std::string& value) override { return rewrite_field(x_, conf_, field, value); }

 private:
  std::string_view asked_method() const { return for_cache.as_get ? std::string_view("GET") : method_; }
  enum class Framing : std::uint8_t { none, length, chunked, until_close };
  Result<void> read_framing(const H1ResponseHead& head);
  Errc refuse(std::string why);
  Result<std::optional<Piece>> read_chunked(Buffer& in);

  Exchange& x_;
  const Conf& conf_;
  const Destination to_;
  const std::string method_;
  bool chunks_request_ = false, asks_upgrade_ = false;

  Framing framing_ = Framing::none;
  std::uint64_t left_ = 0;
  std::optional<std::uint64_t> length_;
  std::optional<ChunkedDecoder> chunks_;
  bool keeps_ = false, switched_ = false;
  std::string complaint_;
};

}  // namespace seawall::proxy
