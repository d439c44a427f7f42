#include "e2e/crowd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <stdexcept>
#include <vector>

namespace test {

// One connection: a head, then bytes that go back, or a body that is counted.
class Echo::Peer {
 public:
  explicit Peer(seawall::Fd fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }
  // What has come. False: the end.
  bool serve() {
    char bytes[65536];
    const auto n = ::recv(fd(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    in_.append(bytes, std::size_t(n));
    if (!echoes_ && !begin()) return true;
    if (!echoes_) return answer();
    const std::string out = std::exchange(in_, "");
    return say(out);
  }

 private:
  bool say(const std::string& text) const { return ::send(fd(), text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()); }
  // The head is here: of an upgrade, or of a body.
  bool begin() {
    const auto end = in_.find("\r\n\r\n");
    if (end == in_.npos) return false;
    const std::string head = in_.substr(0, end);
    if (head.find("tunnel") == head.npos) return true;
    echoes_ = true;
    in_.erase(0, end + 4);
    return say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  }
  // Once the body is here.
  bool answer() {
    const auto end = in_.find("\r\n\r\n") + 4, at = in_.find("ontent-Length: ");
    if (at >= end || in_.size() - end < std::stoul(in_.substr(at + 15))) return true;
    const std::string length = std::to_string(in_.size() - end);
    in_.clear();
    return say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length.size()) + "\r\n\r\n" + length);
  }

  seawall::Fd fd_;
  std::string in_;
  bool echoes_ = false;
};

Echo::Echo() : port_(free_port()), listening_(listen_on(port_)) {
  int ends[2];
  if (!listening_ || ::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("no echo server");
  stop_.reset(ends[1]);
  stopped_.reset(ends[0]);
  thread_ = std::thread([this] { serve(); });
}

Echo::~Echo() {
  stop_.reset();
  thread_.join();
}

void Echo::serve() {
  std::list<Peer> peers;
  for (;;) {
    std::vector<pollfd> waits{{stopped_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
    for (const Peer& peer : peers) waits.push_back({peer.fd(), POLLIN, 0});
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[0].revents) return;
    auto wait = waits.begin() + 2;
    for (auto peer = peers.begin(); peer != peers.end(); ++wait) {
      if (wait->revents == 0 || peer->serve()) ++peer;
      else peer = peers.erase(peer);
    }
    if (waits[1].revents)
      if (seawall::Fd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)); fd) peers.emplace_back(std::move(fd));
  }
}

Crowd::Crowd(int port, int tunnels, int uploads, int steps) : bytes_(std::size_t(steps)), download_(port, "127.0.0.1", 32768) {
  for (int i = 0; i < tunnels; ++i) {
    RawClient& c = tunnels_.emplace_back(port);
    c.send("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    c.read_until("\r\n\r\n");
  }
  for (int i = 0; i < uploads; ++i)
    uploads_.emplace_back(port).send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes_) + "\r\n\r\n");
  download_.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  download_.read_until("\r\n\r\n");
}

void Crowd::step() {
  const std::string message = "step " + std::to_string(sent_) + "\n";
  for (RawClient& c : tunnels_) c.send(message);
  for (RawClient& c : uploads_) c.send("u");
  if (++sent_ > bytes_) throw std::logic_error("more steps than the uploads have bytes");
  for (RawClient& c : tunnels_)
    if (c.read(message.size()) != message) throw std::runtime_error("another message came back");
  taken_ += download_.read(kLong / (4 * bytes_)).size();
}

void Crowd::finish() {
  while (sent_ < bytes_) step();
  for (RawClient& c : uploads_)
    if (const Response r = c.read_response(); r.status != 200 || r.body != std::to_string(bytes_))
      throw std::runtime_error("an upload was answered " + std::to_string(r.status) + " " + r.body);
  if (download_.read(kLong - taken_).find_first_not_of('l') != std::string::npos) throw std::runtime_error("the download is another");
  tunnels_.clear();
  uploads_.clear();
}

}  // namespace test
