// A gRPC call as it is passed to a server: HTTP/2, with TE: trailers where the client has said so. One for a request; one loop.
#pragma once
#include <string>

#include "conf.h"
#include "seawall/upstream/h2_client.h"

namespace seawall::grpc {

class Client final : public H2Client {
 public:
  // Both outlive it.
  Client(Exchange& x, const Conf& conf, Destination to);

  std::string_view scheme() const override { return to_.tls ? "grpcs://" : "grpc://"; }
  const std::string& uri() const override { return uri_; }

 private:
  void list_fields(Headers& fields, std::optional<std::uint64_t> length) override;
  bool asks_for_head() const override { return method() == "HEAD"; }
  // An internal redirect asks for a page.
  std::string_view method() const { return x_.method == x_.request.method ? x_.request.method_name : std::string_view("GET"); }

  const Conf& conf_;
  const Destination to_;
  const std::string uri_;
};

}  // namespace seawall::grpc
