// One request over HTTP/2 by hand, for connections that are then left idle. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "tls_client.h"

namespace bench {

class H2Request {
 public:
  H2Request(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {}

  // The preface, a GET on stream 1 and all of its response, which must be a 200.
  void run(std::string_view path) {
    std::string block("\x82", 1);                  // :method GET
    block += ssl_ ? '\x87' : '\x86';                // :scheme
    block += literal(4, path) + literal(1, "localhost");
    send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "") + frame(kHeaders, kEndStream | kEndHeaders, 1, block));
    while (!ended_) read_frame();
    if (!ok_) die("not a 200");
  }

 private:
  static constexpr std::uint8_t kData = 0, kHeaders = 1, kSettings = 4, kGoaway = 7, kEndStream = 1, kAck = 1, kEndHeaders = 4;

  // HPACK: a literal that is not indexed, with a name of the static table (RFC 7541 6.2.2).
  static std::string literal(char name, std::string_view value) {
    if (value.size() > 126) die("a path of that length");
    return std::string(1, name) + char(value.size()) + std::string(value);
  }
  static std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string bytes;
    for (int shift = 16; shift >= 0; shift -= 8) bytes += char(payload.size() >> shift);
    bytes += char(type);
    bytes += char(flags);
    for (int shift = 24; shift >= 0; shift -= 8) bytes += char(stream >> shift);
    return bytes.append(payload);
  }
  void send(const std::string& bytes) {
    if (send_bytes(ssl_, fd_, bytes) != long(bytes.size())) die("send");
  }
  void need(std::size_t size) {
    char data[16384];
    while (in_.size() < size) {
      const long n = receive(ssl_, fd_, data, sizeof data);
      if (n <= 0) die("receive");
      in_.append(data, std::size_t(n));
    }
  }
  void read_frame() {
    need(9);
    const auto byte = [this](std::size_t at) { return std::size_t(static_cast<unsigned char>(in_[at])); };
    const std::size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    const auto type = byte(3), flags = byte(4);
    need(9 + length);
    if (type == kSettings && !(flags & kAck)) send(frame(kSettings, kAck, 0, ""));
    if (type == kGoaway) die("GOAWAY");
    if (type == kHeaders && length > 0) ok_ = byte(9) == 0x88 || (length > 1 && (byte(9) & 0xe0) == 0x20 && byte(10) == 0x88);  // :status 200, perhaps behind a table size
    if ((type == kHeaders || type == kData) && (flags & kEndStream)) ended_ = true;
    in_.erase(0, 9 + length);
  }

  SSL* ssl_;
  int fd_;
  std::string in_;
  bool ok_ = false, ended_ = false;
};

}  // namespace bench
