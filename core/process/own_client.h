// A client of our own servers at the other end of a socket pair, in a thread that may wait. Any thread but a loop's.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"
#include "seawall/route/endpoints.h"
#include "seawall/server/vhost.h"

namespace seawall {

class OwnClient {
 public:
  // Makes the pair; take_server_end() is what the server is to serve. std::system_error.
  OwnClient();
  Fd take_server_end() { return std::move(server_end_); }

  // What the endpoint expects before the first request: the PROXY protocol's header, a handshake that asks for `name` (empty: for
  // nobody) and takes whatever `vhost` may be set to. Empty, or what went wrong.
  std::string begin(const Endpoint& endpoint, const Vhost& vhost, const std::string& name);
  bool send(std::string_view text);
  enum class Read { some, end, late };
  Read read(std::string& into);  // appends what is there

 private:
  Fd own_, server_end_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

}  // namespace seawall
