// CgiClient: what uwsgi and SCGI have in common: a request of params and the bare body, and a CGI response that ends with its
// connection or where its length says. One for a request; one loop.
#pragma once
#include <string>

#include "seawall/server/exchange.h"
#include "seawall/upstream/cgi_body.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class SEAWALL_API CgiClient : public UpstreamProtocol {
 public:
  // `conf` outlives it.
  CgiClient(Exchange& x, const ForwardConf& conf) : x_(x), conf_(conf) {}

  const std::string& uri() const override { return uri_; }
  void restart() override;
  void frame(std::size_t, bool, std::string&, std::string&) override {}
  Result<std::optional<UpstreamHead>> read_head(Buffer& in) override;
  Result<std::optional<Piece>> read_body(Buffer& in) override;
  bool may_end_here() const override { return body_.is_whole(); }
  bool is_reusable() const override { return false; }
  const std::string& complaint() const override { return complaint_; }

 protected:
  Exchange& x_;
  const ForwardConf& conf_;

 private:
  const std::string uri_;  // there is none
  CgiBody body_;
  std::string complaint_;
};

}  // namespace seawall
