// H2Upstream: one HTTP/2 connection to an upstream server: nghttp2's session, the task that feeds it with what the server sends and
// the task that empties it. Requests (H2Request) come and go on it, many at a time. nghttp2's callbacks (h2_upstream_callbacks.cc)
// only record and wake. Owned by its tasks and its requests together. One loop.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/async/scope.h"
#include "seawall/base/list.h"
#include "seawall/net/address.h"
#include "seawall/net/stream.h"
#include "seawall/server/h2_outbox.h"
#include "seawall/upstream/h2_request.h"

struct nghttp2_session;

namespace seawall {

class H2Pool;

// Whom a connection leads to, and who may share it.
class H2Key {
 public:
  Address address;
  const void* tag = nullptr;  // who may use it; null: anybody
  std::string identity;       // over TLS: for which name the server was verified, and who we said we are; our end of it
  bool operator==(const H2Key& o) const { return tag == o.tag && identity == o.identity && address == o.address; }
};

// ... and how long.
class H2UpstreamUse {
 public:
  H2Key key;
  std::uint64_t most_requests = 1000;
  Milliseconds longest_life{3600'000}, longest_idle{60'000};
};

class H2Upstream final : public ListNode, public std::enable_shared_from_this<H2Upstream> {
 public:
  H2Upstream(Loop& loop, std::unique_ptr<Stream> stream, H2UpstreamUse use, H2Pool* pool);
  ~H2Upstream();

  // Its whole life: until nobody uses it any more, or it breaks.
  static Task<void> run(std::shared_ptr<H2Upstream> self);

  const H2UpstreamUse& use() const { return use_; }
  // Takes one more request now.
  bool has_room() const;
  std::size_t active() const { return requests_.size(); }
  std::int64_t idle_since() const { return idle_since_; }
  // No more requests; ends when the present ones have.
  void retire();

 private:
  friend class H2Pool;
  friend class H2Request;
  friend struct H2UpstreamCallbacks;
  struct SessionEnd {
    void operator()(nghttp2_session* session) const;
  };

  void greet();
  nghttp2_session* session() const { return session_.get(); }
  // Reader.
  Task<void> read();
  Io read_now();
  void feed(std::string_view bytes);
  Deadline deadline() const;
  bool finished() const;
  // Writer.
  Task<void> write();
  Task<bool> flush();
  // Ends.
  void break_off(std::string why);
  void lose(std::error_code error);
  void lose_requests();
  void leave_pool();
  void wake_reader();
  bool may_stay() const;
  // Of requests.
  void submit(H2Request& request, const Headers& fields, bool has_body);
  void submit_tunnel(H2Request& request);
  void hear_settings();
  void resume(H2Request& request);
  void give_back_window(H2Request& request, std::size_t size);
  void reset(H2Request& request, std::uint32_t code);
  void leave(H2Request& request);
  H2Request* find(std::int32_t id) const;

  Loop& loop_;
  const std::unique_ptr<Stream> stream_;
  const H2UpstreamUse use_;
  H2Pool* pool_;                      // null: it is shared no more
  std::unique_ptr<nghttp2_session, SessionEnd> session_;
  std::unordered_map<std::int32_t, H2Request*> requests_;
  std::vector<H2Request*> waiting_;   // tunnels, until the server has said whether it takes them
  const std::int64_t started_;        // ns
  std::int64_t idle_since_, heard_;   // ns: since when it has no request; when the server last said something
  std::uint64_t begun_ = 0;           // requests so far
  Event wake_;                        // of the writer
  H2Outbox outbox_;
  std::string first_bytes_;           // that the server has said, to tell HTTP/1 by
  std::string complaint_;             // why the session has broken off
  std::error_code error_;
  Event writable_;                    // of the reader, whose TLS has something to say
  bool reader_wants_write_ = false, knows_settings_ = false;
  std::uint32_t goaway_code_ = 0;
  bool retired_ = false, broken_ = false, stopping_ = false;
};

// nghttp2's session with our callbacks.
nghttp2_session* make_h2_upstream_session(H2Upstream& connection);

}  // namespace seawall
