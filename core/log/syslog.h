// Syslog: a server that gets one datagram a message, over UDP or a unix socket, in the form RFC 3164 describes and nginx
// sends. Any thread.
#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/fd.h"
#include "seawall/base/result.h"
#include "seawall/log/log.h"

namespace seawall {

class SEAWALL_API Syslog {
 public:
  // "server=ADDRESS[,facility=...][,tag=...][,severity=...][,nohostname]". Resolves a host name: it may wait. Errors:
  // std::invalid_argument in nginx's wording.
  explicit Syslog(std::string_view parameters);

  const std::string& server() const { return server_; }  // as written
  Level severity() const { return severity_; }           // of messages that have none themselves; info unless said

  // One message, without a line end. Never waits: what the socket does not take at once is lost. The socket is made by the
  // first message and anew after an error. Errors: errno of socket(), connect() or send().
  Result<void> send(Level severity, std::string_view message);

 private:
  void read(std::string_view parameter);
  void set_server(std::string_view server);
  Result<void> connect();

  std::string server_, tag_ = "nginx", host_;
  int facility_ = -1;
  Level severity_ = Level::info;
  bool has_severity_ = false, has_tag_ = false;
  sockaddr_storage address_{};
  socklen_t size_ = 0;
  std::mutex mutex_;
  Fd fd_;
};

}  // namespace seawall
