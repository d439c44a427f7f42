// The head of an HTTP/1 response and the frames of a chunked body, as bytes. Pure. RFC 9112 4, 6, 7.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/http/headers.h"

namespace seawall {

class ResponseHeadInfo {
 public:
  int status = 200;
  std::string_view server;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool upgrade = false;  // 101: Connection: upgrade instead
  std::chrono::milliseconds keep_alive_timeout{0};  // told in Keep-Alive when not 0
};

// Bytes that would end a field (CR, LF, NUL) are left out of values: nothing a handler says can add a line.
SEAWALL_API void append_head(std::string& out, const ResponseHeadInfo& info, const Headers& headers);
SEAWALL_API void append_chunk_header(std::string& out, std::size_t size);
SEAWALL_API void append_last_chunk(std::string& out, const Headers& trailers);

}  // namespace seawall
