// H2Stream: one request and its response on an HTTP/2 connection, as nghttp2 and the task that serves it share it.
// nghttp2's callbacks write here what has come and take from here what is to go; the task waits for `arrived` and `sent`.
// Lives until both its task and nghttp2 are done with it. One loop.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "seawall/async/event.h"
#include "seawall/base/list.h"
#include "seawall/base/pool.h"
#include "seawall/http/message.h"
#include "seawall/server/exchange.h"

namespace seawall {

class H2Connection;

// The bytes of a response that have been handed over and not gone: a Slice or a part of a file, which is read only when
// the client has room for it. A stalled stream holds an open file and no bytes of it.
class H2Output {
 public:
  void give(Slice bytes, bool last);
  void give(FilePart part);
  bool last() const { return last_; }
  std::uint64_t left() const { return part_ ? part_->length : bytes_.size(); }
  // Moves n bytes (at most left()) to `to`; false when the file has not got them any more.
  bool take(char* to, std::size_t n);

 private:
  Slice bytes_;
  std::optional<FilePart> part_;
  bool last_ = false;  // nothing will follow
};

class H2Stream final : public ListNode {
 public:
  H2Stream(H2Connection& connection, std::int32_t id, const ConnectionInfo& info, RequestHead head);
  static void* operator new(std::size_t size) { return pool_allocate(size); }
  static void operator delete(void* memory, std::size_t size) { pool_free(memory, size); }

  H2Connection& connection;
  const std::int32_t id;
  ConnectionInfo info;             // of its own: realip changes what one request says, not its neighbours
  RequestHead head;                // until the task takes it
  const std::int64_t started;      // ns
  int malformed = 0;               // the status that refuses the head
  std::string malformed_reason;

  // The request's body.
  bool has_body = false;           // the head did not end the stream; what follows may be empty
  std::string received;            // and not read yet; bounded by the stream's window
  std::uint64_t body_size = 0;     // DATA so far
  std::uint64_t body_wire = 0;     // with padding
  std::optional<std::uint64_t> body_length;  // as announced
  Headers trailers;
  bool ends = false;               // the client has sent all of it
  bool discarding = false;         // nobody will read it
  bool reading = false;            // somebody has begun to
  bool broken = false;             // it is not as long as announced
  Event arrived;

  // The response.
  H2Output output;
  bool deferred = false;           // nghttp2 waits until it is told that there is more
  bool yielded = false;            // ... or that those who come first have nothing to send
  bool has_output() const {        // that may go, as far as the client takes it
    return !closed && !end_sent && (output.left() > 0 ? allowance > 0 : output.last());
  }
  std::uint64_t allowance = UINT64_MAX;  // bytes of the body that may go before the task is asked again (limit_rate)
  std::uint64_t sent_size = 0;     // of the body
  std::uint64_t sent_wire = 0;     // head and body as frames
  std::int64_t progress = 0;       // ns: when the last bytes went
  bool end_sent = false;           // END_STREAM is out
  Event sent;

  // Its end.
  bool closed = false;             // nghttp2 knows it no more: both ends have ended, or one has reset it
  bool begun = false;              // the task has been started
  bool served = false;             // ... and has ended
  std::coroutine_handle<> task;    // once it has begun: by which a look finds it
  Exchange* exchange = nullptr;    // while there is one
  Scope* working = nullptr;        // what a client that leaves ends
  // The client is gone (RST_STREAM, or its connection): ends the handler, unless that goes on without it.
  void abandon();
};

}  // namespace seawall
