// See upstream.h.
#include "e2e/upstream.h"

#include <sys/socket.h>

#include <stdexcept>

namespace test {

Upstream::Upstream(std::function<void(RawClient&)> play)
    : play_(std::move(play)), port_(free_port()), listener_(listen_on(port_)) {
  if (!listener_) throw std::runtime_error("upstream cannot listen");
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
