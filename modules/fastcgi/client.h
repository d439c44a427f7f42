// FastCGI as spoken to an upstream. One for a request; one loop.
#pragma once
#include "conf.h"
#include "records.h"
#include "seawall/upstream/cgi_body.h"
#include "seawall/upstream/protocol.h"

namespace seawall::fastcgi {

class Client final : public UpstreamProtocol {
 public:
  // Both outlive it.
  Client(Exchange& x, const Conf& conf) : x_(x), conf_(conf) {}

  std::string_view scheme() const override { return "fastcgi://"; }
  const std::string& uri() const override { return uri_; }
  void restart() override;
  void write_head(std::string& out, std::optional<std::uint64_t> length) override;
  void frame(std::size_t size, bool last, std::string& before, std::string& after) override;
  Result<std::optional<UpstreamHead>> read_head(Buffer& in) override;
  Result<std::optional<Piece>> read_body(Buffer& in) override;
  // nginx takes a connection that ends in the middle for the end of the response; a program that has crashed is no end.
  bool may_end_here() const override { return stdout_ended_ && body_.is_whole(); }
  bool is_reusable() const override { return ended_ && *conf_.keep_conn && !body_.had_extra(); }
  const std::string& complaint() const override { return complaint_; }

 private:
  Result<std::optional<UpstreamHead>> take_head(const Slice& data);
  Result<void> hear_stderr(std::string_view text, const char* doing);
  Result<std::optional<Piece>> end();
  Errc refuse(std::string why);

  Exchange& x_;
  const Conf& conf_;
  const std::string uri_;  // there is none
  RecordReader records_;
  std::string head_;       // what stdout has said so far
  Slice rest_;             // of the body, from behind the head
  CgiBody body_;
  bool stdout_ended_ = false, ended_ = false;
  std::string complaint_;
};

}  // namespace seawall::fastcgi
