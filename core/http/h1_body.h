// A chunked request body (RFC 9112 7.1), taken apart as it arrives. Of our own and not llhttp's, whose tolerance for line
// ends, spaces and folded trailers differs from version to version: a body that two parsers end in different places is an
// attack, so anything but the plain form is refused. One loop.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/http/headers.h"

namespace seawall {

class SEAWALL_API ChunkedDecoder {
 public:
  ChunkedDecoder() = default;
  ChunkedDecoder(const ChunkedDecoder&) = delete;

  class Fed {
   public:
    std::size_t consumed = 0;            // what follows belongs to the next request
    std::vector<std::string_view> data;  // views of the input
    bool done = false;
  };
  // Errors: bad_request; then the decoder is of no further use.
  Result<Fed> feed(std::string_view in);
  // Complete once done; fields that frame or route a message are left out (RFC 9110 6.5.1).
  const Headers& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t {
    size, extension_name, extension, size_end, data, data_return, data_end, trailer, trailer_end, done,
  };
  bool step(char c);
  bool size_digit(char c);
  bool end_of_size();
  bool end_of_trailer();

  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t left_ = 0;     // of the present chunk's data
  std::uint64_t data_ = 0;     // so far
  std::uint64_t framing_ = 0;  // bytes that were not data, so far
  std::size_t line_ = 0;       // of the present size line, or of all trailers
  std::string trailer_;        // the present line
  Headers trailers_;
};

}  // namespace seawall
