// H2Fields: a list of fields as nghttp2 takes them. nghttp2 copies them when they are submitted, and writes the names in
// lower case. Not installed: it needs nghttp2's header. One loop.
#pragma once
#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/http/headers.h"

namespace seawall {

class H2Fields {
 public:
  // The texts outlive the list.
  void add(std::string_view name, std::string_view value);
  // All of them but what is of one HTTP/1 connection (RFC 9113 8.2.2).
  void add_all(const Headers& headers);
  const nghttp2_nv* data() const { return fields_.data(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

 private:
  std::vector<nghttp2_nv> fields_;
  std::list<std::string> cleaned_;    // values that had bytes in them which would end a field in HTTP/1
};

class H2Stream;
// Where nghttp2 gets a response's body from.
nghttp2_data_provider h2_output_of(const H2Stream& stream);

}  // namespace seawall
