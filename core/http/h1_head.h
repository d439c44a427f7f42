// The head of an HTTP/1 request: where it ends in a buffer, and what it says. The whole head is buffered before it is
// parsed, so that views of it are final. One loop. RFC 9112 2-6; nginx's limits.
//
//   HeadReader reader(limits);
//   auto end = reader.scan(buffer.view());            // nothing: more bytes are needed
//   auto head = parse_head(buffer, **end, options);   // consumes them
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "seawall/base/buffer.h"
#include "seawall/base/result.h"
#include "seawall/http/message.h"

namespace seawall {

// client_header_buffer_size, large_client_header_buffers, max_headers.
class HeadLimits {
 public:
  std::size_t first_buffer = 1024;
  std::size_t buffers = 4, buffer_size = 8192;
  std::size_t max_headers = 1000;
  std::size_t line() const { return std::max(first_buffer, buffer_size); }
  std::size_t total() const { return first_buffer + buffers * buffer_size; }
};

class HeadOptions {
 public:
  bool ignore_invalid_headers = true;   // drops fields with names outside [A-Za-z0-9-]
  bool underscores_in_headers = false;
  bool merge_slashes = true;
};

class SEAWALL_API HeadReader {
 public:
  explicit HeadReader(const HeadLimits& limits) : limits_(limits) {}
  // The head's length once its empty line is there. Remembers where it stopped. Errors: uri_too_long, header_too_large,
  // bad_request.
  Result<std::optional<std::size_t>> scan(std::string_view bytes);
  // How many the head has, once it is there.
  std::size_t fields() const { return lines_ > 0 ? lines_ - 1 : 0; }

 private:
  Result<void> check_line(std::size_t length);
  const HeadLimits& limits_;
  std::size_t line_ = 0;      // where the present line begins
  std::size_t at_ = 0;        // up to where was looked
  std::size_t lines_ = 0;     // complete ones, empty leading ones aside
  std::size_t empty_ = 0;     // leading empty lines
};

// The head in the first `size` bytes of the buffer into `head`, which is empty; consumes them unless there is an error: the log wants
// to show them. Its views live as long as its storage. Errors: bad_request, bad_version, not_supported.
SEAWALL_API Result<void> parse_head(Buffer& in, std::size_t size, const HeadOptions& options, RequestHead& head);

// What is left behind the empty lines that may stand before a request line (RFC 9112 2.2).
SEAWALL_API std::string_view skip_empty_lines(std::string_view text);

// The first bytes of HTTP/2 (RFC 9113 3.4).
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace seawall
