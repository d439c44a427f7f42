// See upstream.h.
#include "e2e/upstream.h"

#include <arpa/inet.h>

#include <stdexcept>

namespace test {

Upstream::Upstream(std::function<void(RawClient&)> play) : play_(std::move(play)), port_(free_port()) {
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (!bound || ::listen(listener_.get(), 128) != 0) throw std::runtime_error("upstream cannot listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

Upstream::~Upstream() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
  acceptor_.join();
  for (auto& play : plays_) play.join();
}

void Upstream::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    plays_.emplace_back([this, fd] {
      RawClient peer{seawall::Fd(fd)};
      try {
        play_(peer);
      } catch (const std::exception& e) {
        const std::lock_guard lock(mutex_);
        if (failure_.empty()) failure_ = e.what();
      }
    });
  }
}

std::string Upstream::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace test
