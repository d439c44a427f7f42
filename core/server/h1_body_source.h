// The body of an HTTP/1 request, read from its connection: Content-Length or chunked, with 100-continue on first use and
// the deadlines of the location (client_body_timeout, _min_rate, _total_timeout). One loop; a request without a body has none.
#pragma once
#include "seawall/async/deadline.h"
#include "seawall/http/h1_body.h"
#include "seawall/http/message.h"
#include "seawall/server/request_body.h"

namespace seawall {

class Connection;

class H1BodySource final : public BodySource, public Pooled {
 public:
  H1BodySource(Connection& connection, const RequestHead& head);
  Task<Result<Piece>> read(Exchange& x) override;
  // From now on what comes is only read away: within lingering_time in all, lingering_timeout between two reads.
  void read_away(const Exchange& x);
  const Headers& trailers() const override { return decoder_.trailers(); }
  std::uint64_t wire_size() const override { return received_; }

 private:
  Task<Result<void>> fill(Exchange& x);
  Task<Result<void>> send_continue(Exchange& x);
  Task<Result<void>> receive(Exchange& x);
  Deadline deadline(const Exchange& x) const;
  Result<Piece> cut_known();
  Result<std::optional<Piece>> cut_chunked();

  Connection& c_;
  ChunkedDecoder decoder_;
  std::uint64_t left_ = 0;       // of a known length
  std::uint64_t received_ = 0;   // as it came
  std::int64_t started_ = 0;     // ns, of the first wait; 0 before
  std::int64_t waited_ = 0;      // ns, of all waits
  Deadline away_ = Deadline::never(Wait::linger);
  bool reading_away_ = false;
  bool chunked_;
  bool continue_due_;
};

}  // namespace seawall
