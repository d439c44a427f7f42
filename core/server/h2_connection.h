// H2Connection: one HTTP/2 connection: nghttp2's session, the task that feeds it with what the client sends, the task that
// empties it, and a task for each stream. nghttp2's callbacks (h2_callbacks.cc) only record and wake; nothing is resumed
// inside them. One loop; lives in serve_h2's frame.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "seawall/async/event.h"
#include "seawall/async/scope.h"
#include "seawall/base/list.h"
#include "seawall/http/h2_head.h"
#include "seawall/net/stream.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_frame_heads.h"
#include "seawall/server/h2_limits.h"
#include "seawall/server/h2_outbox.h"
#include "seawall/server/h2_preface.h"
#include "seawall/server/h2_stream_ids.h"
#include "seawall/server/loop_server.h"

struct nghttp2_session;

namespace seawall {

class Connection;
class H2Stream;
class H2Weights;
class Http2Conf;

class H2Connection final : public Drained {
 public:
  explicit H2Connection(Connection& connection);
  ~H2Connection();

  // The whole life, from the preface to the last frame.
  Task<void> run();
  // No more requests: GOAWAY; what has begun is finished.
  void drain() override;

  Connection& c;
  nghttp2_session* session() const { return session_.get(); }
  // There is something to send.
  void wake_writer() { wake_.set(); }
  // Ends one stream with this code of RFC 9113 7, the others go on.
  void reset(H2Stream& stream, std::uint32_t code);
  // The task of this stream has ended: it is forgotten as soon as nghttp2 has forgotten it.
  void served(H2Stream& stream);
  // For who looks at what the connection is at: the streams whose tasks have begun, and the scopes that are all its own.
  void each_stream(const std::function<void(const H2Stream&)>& visit);
  std::array<const Scope*, 2> own_scopes() const { return {tasks_, writing_}; }
  // A client that keeps us busy for nothing is sent away.
  void abused(H2Abuse abuse);

 private:
  friend struct H2Callbacks;
  struct SessionEnd {
    void operator()(nghttp2_session* session) const;
  };

  void greet();
  // Reader.
  Task<void> read();
  Io read_now();
  void feed(std::string_view bytes);
  void receive(std::string_view bytes);
  void pass(std::string_view bytes);
  void start_streams();
  Deadline deadline() const;
  bool timed_out();
  bool greeting_is_late();
  void give_up_head();
  bool finished() const;
  // Writer.
  Task<void> write();
  Task<bool> flush();
  bool fill_and_send(Io& io);
  bool must_yield(const H2Stream& stream);
  bool resume_yielded();
  Task<bool> wait_writable(Io io);
  void say_farewell();
  // Ends.
  void announce_end();
  void go_away(std::uint32_t code);
  void refuse_session(const char* why, std::uint32_t code, Failure failure = Failure::bad_request_http2);
  void abandon_all();
  void wake_reader();
  // What callbacks do.
  void check_stream_id(std::int32_t id, bool head);
  void weigh(std::int32_t id, std::int32_t depends_on, int weight, bool exclusive);
  void begin_stream(std::int32_t id, bool ends);
  void add_stream(std::int32_t id, std::size_t wire_size, bool ends);
  void broken_frame();
  void break_off(H2Stream& stream);
  void broken_body(H2Stream& stream, std::string reason);
  void end_of_trailers(H2Stream& stream, bool ends);
  void end_of_body(H2Stream& stream);
  void data_arrived(H2Stream& stream, std::string_view data);
  void forget(H2Stream& stream);
  void one_less();

  const Http2Conf& conf_;
  std::unique_ptr<nghttp2_session, SessionEnd> session_;
  H2HeadReader head_reader_;
  H2Budgets budgets_;
  H2Preface preface_;
  H2FrameHeads heads_;
  H2StreamIds ids_;
  std::unique_ptr<H2Weights> weights_;  // of a client that has said some
  List<H2Stream> fresh_;            // complete heads whose tasks have not been started
  List<H2Stream> streams_;          // those that have
  Scope* tasks_ = nullptr;          // of the streams
  Scope* writing_ = nullptr;        // of the writer
  Scope* scope_ = nullptr;          // of run()
  std::size_t active_ = 0;          // fresh and served ones
  std::uint32_t building_ = 0;      // the stream whose header block is being read; 0: one that is not kept
  std::int64_t head_since_ = 0;     // ns: when the present header block began; 0: there is none
  std::int64_t idle_since_ = 0;     // ns: since when there is no stream
  std::int64_t announced_ = 0;      // ns: when the client was told that the end is near; 0: not
  std::uint64_t head_unpacked_ = 0; // of the present block, kept or not
  Event wake_;                      // of the writer
  H2Outbox outbox_;
  bool preface_read_ = false;
  bool greeted_ = false;            // the client's SETTINGS have come, too
  bool acknowledged_ = false;       // our SETTINGS
  bool ack_withheld_ = false;       // of SETTINGS that were none of the client's
  bool extensible_ = false;         // the client speaks RFC 9218: SETTINGS_NO_RFC7540_PRIORITIES
  bool going_away_ = false;         // GOAWAY has been said, and which stream is the last
  bool closing_ = false;            // nothing more is read: what there is to say is said, and that is all
  bool broken_ = false;             // there is nobody to say anything to
  bool stopping_ = false;           // the writer may end when all is out
};

// nghttp2's session with our callbacks.
nghttp2_session* make_h2_session(H2Connection& connection);
// The task of one stream: from its head to its log line.
Task<void> serve_h2_stream(H2Connection& connection, H2Stream& stream);

}  // namespace seawall
