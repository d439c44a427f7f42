// A gRPC server and a gRPC client of Debian's python3-grpcio, for tests that are skipped where it is missing. The server sends back
// what it is sent: /test.Echo/Unary a message, /test.Echo/Stream each of many as it comes, /test.Echo/Fail a status.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

namespace test {

class GrpcEcho {
 public:
  // Null, with a warning that the test is skipped, where the package is missing. `certificate`, `key`: PEM texts; with TLS.
  static std::unique_ptr<GrpcEcho> start(const std::string& certificate = {}, const std::string& key = {});
  ~GrpcEcho();
  GrpcEcho(const GrpcEcho&) = delete;
  int port() const { return port_; }

  // What a client says that runs this against 127.0.0.1:port: `call` is a line of Python with `channel`, `unary`, `stream`, `fail`
  // and `say(...)`. An error of a call is said as "CODE details".
  static std::string client(int port, const std::string& call);

 private:
  GrpcEcho(const std::string& certificate, const std::string& key);
  int port_;
  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace test
