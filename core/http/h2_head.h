// The fields of one HTTP/2 header block, as HPACK gives them, become a request head or the trailers of a body. What RFC
// 9113 8.2 and 8.3 call malformed is found here, and a front end that disagrees about it has nothing to smuggle: what is
// refused never becomes a head that a handler sees. One block at a time; one loop.
//
//   H2HeadReader reader(limits, options);
//   reader.begin();
//   reader.add(name, value, false);              // for each field, in order
//   RequestHead head = reader.finish(wire_size, ends);
//   if (reader.status()) refuse(head, reader.status(), reader.reason());
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/http/h1_head.h"
#include "seawall/http/message.h"

namespace seawall {

class SEAWALL_API H2HeadReader {
 public:
  // Both outlive the reader.
  H2HeadReader(const HeadLimits& limits, const HeadOptions& options) : limits_(&limits), options_(&options) {}

  void begin();           // of a request
  void begin_trailers();  // of a request's body
  // `forever`: name and value outlive every message (HPACK's static table). Behind the first error nothing is kept.
  void add(std::string_view name, std::string_view value, bool forever);
  // Names and values so far, kept or not: what a block of a few bytes can be unpacked to.
  std::uint64_t unpacked() const { return unpacked_; }

  // 0, or how a malformed head is to be answered: 400, or 494 where it is too large.
  int status() const { return status_; }
  const std::string& reason() const { return reason_; }  // for the log, in nginx's words where it has them

  // `ends`: no body follows. A head that is refused has what is known of its request line.
  RequestHead finish(std::size_t wire_size, bool ends);
  Headers finish_trailers();

 private:
  void start(bool trailers);
  void fail(std::string reason, int status = 400);
  bool check_name(std::string_view name);
  bool check_value(std::string_view name, std::string_view value);
  void add_pseudo(std::string_view name, std::string_view value);
  void take(std::optional<std::string_view>& place, const char* name, std::string_view value);
  void add_cookie(std::string_view value);
  void check_request(bool ends);
  void check_tunnel();
  void check_connection_fields();
  void read_host();
  void read_length(bool ends);
  void make_request_line();
  std::string_view keep(std::string_view text, bool forever);

  const HeadLimits* limits_;
  const HeadOptions* options_;
  RequestHead head_;
  std::optional<std::string_view> method_, scheme_, path_, authority_, protocol_;
  std::string cookie_;
  std::uint64_t unpacked_ = 0;
  std::size_t fields_ = 0;
  int status_ = 0;
  std::string reason_;
  bool trailers_ = false;
  bool regular_ = false;  // a field that is no pseudo-header has come
};

}  // namespace seawall
