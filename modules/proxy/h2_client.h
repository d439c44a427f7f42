// HTTP/2 as proxy speaks it to an upstream (proxy_http_version 2): the fields of the request. One for a request; one loop.
#pragma once
#include <string>

#include "conf.h"
#include "seawall/upstream/h2_client.h"

namespace seawall::proxy {

class ProxyH2Client final : public H2Client {
 public:
  // Both outlive it.
  ProxyH2Client(Exchange& x, const Conf& conf, Destination&& to, std::string method);

  std::string_view scheme() const override { return to_.tls ? "https://" : "http://"; }
  const std::string& uri() const override { return to_.uri; }
  bool can_ask_as_get() const override { return true; }
  bool rewrite(const Field& field, std::string& value) override;

 private:
  void list_fields(Headers& fields, std::optional<std::uint64_t> length) override;
  bool asks_for_head() const override { return asked_method() == "HEAD"; }
  bool opens_websocket() const override { return !for_cache.whole && conf_.fields.passes_websocket(x_); }
  std::string_view asked_method() const { return for_cache.as_get ? std::string_view("GET") : method_; }

  const Conf& conf_;
  const Destination to_;
  const std::string method_;
};

}  // namespace seawall::proxy
