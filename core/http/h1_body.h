// A chunked request body (RFC 9112 7.1), taken apart as it arrives. llhttp in strict mode does the work; bounds on
// extensions and trailers are ours. One loop.
#pragma once
#include <llhttp.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/http/headers.h"

namespace seawall {

class SEAWALL_API ChunkedDecoder {
 public:
  ChunkedDecoder();
  ChunkedDecoder(const ChunkedDecoder&) = delete;

  class Fed {
   public:
    std::size_t consumed = 0;            // what follows belongs to the next request
    std::vector<std::string_view> data;  // views of the input
    bool done = false;
  };
  // Errors: bad_request.
  Result<Fed> feed(std::string_view in);
  // Complete once done; fields that frame or route a message are left out (RFC 9110 6.5.1).
  Headers& trailers() { return trailers_; }

 private:
  static const llhttp_settings_t& settings();
  static ChunkedDecoder& self(llhttp_t* parser) { return *static_cast<ChunkedDecoder*>(parser->data); }
  int end_of_trailer();

  llhttp_t parser_;
  Fed* fed_ = nullptr;
  Headers trailers_;
  std::string name_, value_;
  std::size_t overhead_ = 0;  // bytes of framing since the last data
};

}  // namespace seawall
