// The fields of one HTTP/2 header block of an upstream, as HPACK gives them, become the head of a response or its trailers. What
// RFC 9113 8.2 and 8.3 call malformed is refused here, so that nothing of it can become a line of an HTTP/1 response. One block at a
// time; pure; one loop.
//
//   H2ResponseHead head;
//   head.begin(false, limit);
//   head.add(name, value);             // for each field, in order
//   head.end();
//   if (!head.complaint.empty()) ...;  // nginx's words where it has them
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/http/headers.h"

namespace seawall {

class SEAWALL_API H2ResponseHead {
 public:
  // `limit`: of names and values together.
  void begin(bool trailers, std::size_t limit);
  // Behind the first complaint nothing is kept.
  void add(std::string_view name, std::string_view value);
  void end();

  bool is_interim() const { return status < 200; }  // 100..199: another head follows
  int status = 0;
  Headers headers;                                  // copies
  std::optional<std::uint64_t> length;              // of the body, as announced
  std::string complaint;                            // empty: it is well-formed

 private:
  void refuse(std::string why);
  void add_pseudo(std::string_view name, std::string_view value);
  void read_length();
  bool trailers_ = false;
  std::size_t limit_ = 0, size_ = 0;
};

}  // namespace seawall
