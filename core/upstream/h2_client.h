// H2Client: what proxy and gRPC have in common as clients of HTTP/2: a request of fields and DATA, and the response of the stream
// that it is sent on. A module says which fields. One for a request; one loop.
#pragma once
#include <string>

#include "seawall/server/exchange.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class H2Request;

class SEAWALL_API H2Client : public UpstreamProtocol {
 public:
  // `conf` outlives it.
  H2Client(Exchange& x, const ForwardConf& conf) : x_(x), conf_(conf) {}
  // The stream of the present attempt, which outlives what is asked of this until restart().
  void use(H2Request& request) { request_ = &request; }
  // After an error of read_head: the server has not begun with the request.
  bool was_refused() const;

  void restart() override {
    complaint_.clear();
    switched_ = false;
  }
  void write_head(std::string& out, std::optional<std::uint64_t> length) override;
  void frame(std::size_t size, bool last, std::string& before, std::string& after) override;
  Result<std::optional<UpstreamHead>> read_head(Buffer& in) override;
  Result<std::optional<Piece>> read_body(Buffer& in) override;
  bool may_end_here() const override { return false; }  // a connection that ends takes the stream with it
  bool is_reusable() const override { return false; }   // ... and a stream that ends leaves it to others
  Headers take_trailers() override;
  const std::string& complaint() const override { return complaint_; }
  bool has_switched() const override { return switched_; }

 protected:
  // The request's head, pseudo-fields first. What is of one HTTP/1 connection is left out later. `length`: of the body; nothing: only
  // its end will tell.
  virtual void list_fields(Headers& fields, std::optional<std::uint64_t> length) = 0;
  // The response has no body: HEAD.
  virtual bool asks_for_head() const = 0;
  // It is an extended CONNECT for a WebSocket (RFC 8441), whose 2xx is told as HTTP/1.1's 101.
  virtual bool opens_websocket() const { return false; }

  Exchange& x_;

 private:
  void make_switch(UpstreamHead& head);
  const ForwardConf& conf_;
  H2Request* request_ = nullptr;
  bool opens_ = false, switched_ = false;
  std::string complaint_;
};

}  // namespace seawall
