#include "e2e/load.h"

#include <cstdlib>
#include <stdexcept>

namespace test {
namespace {

class WrongAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Of GOAWAY: streams above it were not taken.
std::uint32_t last_stream(const Frame& frame) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(frame.payload.at(std::size_t(i)));
  return number & 0x7fffffff;
}

}  // namespace

Load::Load(int port, int clients, Speaks speaks, Minds minds) : port_(port), speaks_(speaks), minds_(minds) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
}

void Load::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::string Load::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Load::run() {
  while (!stopping_) {
    try {
      if (speaks_ == Speaks::h2 || speaks_ == Speaks::h2_tls) one_connection_of_h2();
      else one_connection();
    } catch (const WrongAnswer& error) {
      return fail(error.what());
    } catch (const std::exception& error) {
      if (minds_ == Minds::everything) return fail(error.what());
    }
  }
}

void Load::fail(const std::string& why) {
  const std::lock_guard lock(mutex_);
  failure_ = why;
}

void Load::count(int status, const std::string& body) {
  if (status != 200 || body.size() != kSize)
    throw WrongAnswer("answered " + std::to_string(status) + " with " + std::to_string(body.size()) + " bytes");
  ++answered_;
}

void Load::one_connection() {
  RawClient c(port_);
  if (speaks_ == Speaks::tls) c.start_tls();
  while (!stopping_) {
    c.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    const Response r = c.read_response();
    count(r.status, r.body);
    if (r.header("connection") != "close") continue;
    ++told_;
    return;
  }
}

void Load::one_connection_of_h2() {
  H2Client c(port_, speaks_ == Speaks::h2_tls);
  for (std::uint32_t stream = 1; !stopping_; stream += 2) {
    c.request(stream, "/file");
    if (answered_by(c, stream)) continue;
    ++told_;
    return;
  }
}

// False: another connection has to be made for the next request, or for this one when the server says that it has not taken it.
bool Load::answered_by(H2Client& c, std::uint32_t stream) {
  std::string body;
  int status = 0;
  bool told = false;
  for (;;) {
    const Frame frame = c.read_frame();
    if (frame.type == NGHTTP2_GOAWAY) {
      if (frame.error_code() != NGHTTP2_NO_ERROR) throw WrongAnswer("GOAWAY, code " + std::to_string(frame.error_code()));
      told = true;
      if (last_stream(frame) < stream) return false;
    }
    if (frame.type == NGHTTP2_PING && told) c.answer(frame);
    if (frame.stream != stream) continue;
    if (frame.type == NGHTTP2_RST_STREAM) throw WrongAnswer("RST_STREAM, code " + std::to_string(frame.error_code()));
    if (frame.type == NGHTTP2_HEADERS)
      for (const auto& [name, value] : frame.fields)
        if (name == ":status") status = std::atoi(value.c_str());
    if (frame.type == NGHTTP2_DATA) body += frame.payload;
    if ((frame.type == NGHTTP2_DATA || frame.type == NGHTTP2_HEADERS) && frame.ends_stream()) break;
  }
  count(status, body);
  c.open_window(0, kSize);
  return !told;
}

}  // namespace test
