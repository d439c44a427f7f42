// A real server of another project that listens on a unix socket, in a folder of its own.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace test {

class UnixPeer {
 public:
  // %SOCKET% in the arguments is the socket's path. Null, with a warning that the test is skipped, where there is no such program.
  static std::unique_ptr<UnixPeer> start(const std::string& program, const std::vector<std::string>& arguments);
  ~UnixPeer();
  UnixPeer(const UnixPeer&) = delete;
  std::string address() const { return "unix:" + path(); }

 private:
  UnixPeer(const std::string& program, const std::vector<std::string>& arguments);
  std::string path() const { return folder_ + "/peer.sock"; }
  std::string folder_;
  pid_t pid_ = -1;
};

std::unique_ptr<UnixPeer> start_redis();
std::unique_ptr<UnixPeer> start_memcached();

}  // namespace test
