// The body of an HTTP/2 request: what has arrived on its stream, within the deadlines of the location (client_body_timeout,
// _min_rate, _total_timeout). Reading opens the stream's window again: a body that nobody reads holds that much and no more.
// One loop; lives in the stream's task.
#pragma once
#include "seawall/async/deadline.h"
#include "seawall/server/request_body.h"

namespace seawall {

class H2Connection;
class H2Stream;

class H2BodySource final : public BodySource {
 public:
  H2BodySource(H2Connection& connection, H2Stream& stream) : h_(connection), s_(stream) {}
  Task<Result<Piece>> read(Exchange& x) override;
  void expect_whole() override;
  // From now on what comes is only read away: within lingering_time in all, lingering_timeout between two reads.
  void read_away(const Exchange& x);
  const Headers& trailers() const override;
  std::uint64_t wire_size() const override;

 private:
  Piece take();
  Task<Result<void>> wait(Exchange& x);
  void send_continue(Exchange& x);

  H2Connection& h_;
  H2Stream& s_;
  Deadline deadline(const Exchange& x) const;
  std::int64_t started_ = 0;  // ns, of the first wait; 0 before
  std::int64_t waited_ = 0;   // ns, of all waits
  Deadline away_ = Deadline::never(Wait::linger);
  bool reading_away_ = false;
};

}  // namespace seawall
