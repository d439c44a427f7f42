// Forwarding: one request on its way to an upstream and its response on the way back. Shared by what works on it: forward(),
// the upload, the read-ahead, the response's Reader or tunnel; the last of them ends it. The parts are in forward.cc (servers,
// one after another), forward_send.cc (the request), forward_head.cc (the answer's head), forward_body.cc (its body). One loop.
#pragma once
#include "seawall/async/event.h"
#include "seawall/net/dial.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/balancer.h"
#include "seawall/upstream/cache_use.h"
#include "seawall/upstream/chooser.h"
#include "seawall/upstream/forward.h"
#include "seawall/upstream/slice_queue.h"
#include "seawall/upstream/spill.h"
#include "seawall/upstream/tunnel_end.h"
#include "seawall/upstream/upstream_counts.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {

// What ends with the connection between an upstream and us (RFC 9110 7.6.1), and what frames the message.
bool is_hop_by_hop(FieldId id);

// One of a group's requests that wait for a server. Any loop.
class WaitingPlace {
 public:
  explicit WaitingPlace(const Group& group) : group_(group) {}
  WaitingPlace(const WaitingPlace&) = delete;
  ~WaitingPlace() { --group_.waiting; }
  // Null: so many wait already.
  static std::unique_ptr<WaitingPlace> take(const Group& group, std::int64_t most) {
    if (++group.waiting <= most) return std::make_unique<WaitingPlace>(group);
    --group.waiting;
    return nullptr;
  }

 private:
  const Group& group_;
};

class Forwarding : public std::enable_shared_from_this<Forwarding> {
 public:
  Forwarding(Exchange& x, const ForwardConf& conf, ForwardTo to);
  // Of a request whose client has its response already: for the cache alone.
  Forwarding(Exchange& x, const ForwardConf& conf, ForwardTo to, std::unique_ptr<CacheUse> cache);
  ~Forwarding();
  static Task<void> run(std::shared_ptr<Forwarding> self, Outcome& outcome);

  // ---- the body, for its Reader ----
  Task<Result<Piece>> read();
  std::optional<std::uint64_t> length() const { return length_; }
  Headers take_trailers();
  void let_go_of_body();                         // the reader reads no more
  // ---- the connection, for its tunnel ----
  Task<void> tunnel(Stream& client, Slice already_read);

 private:
  // Why an attempt came to nothing: a bit of next_upstream, and the status when nobody else is asked.
  class Failure {
   public:
    unsigned why = 0;
    int status = 502;
    bool unreachable = false;                    // there was no connection, or no answer over it
    bool refused = false;  // the server has not begun with it
  };

  // forward.cc
  Task<void> ask_upstream(Outcome& outcome);
  Task<bool> attempt(Outcome& outcome);          // false: failure_ says why, and the outcome is as it was
  void begin_choice(bool all);
  bool choose();
  PeerState* ask_chooser();
  bool may_ask_next();
  void fail(Outcome& outcome);                   // nobody else is asked
  TryResult try_result() const;
  void let_go(Tried how);
  void end_attempt(Tried how);                   // of the peer and the connection, if there are any still
  void log(Level level, const std::string& what, const char* doing = nullptr) const;
  void log_failed(const char* call, std::error_code error) const;
  bool end_for_client(Outcome& outcome);
  void client_failed(std::error_code error, Outcome& outcome);
  bool is_idempotent() const;
  bool allows(unsigned why, int tries) const;
  // Those of the location, or what the chooser of this try has said.
  Milliseconds connect_timeout() const { return choosing_.connect.count() >= 0 ? choosing_.connect : *conf_.connect_timeout; }
  Milliseconds send_timeout() const { return choosing_.send.count() >= 0 ? choosing_.send : *conf_.send_timeout; }
  Milliseconds read_timeout() const { return choosing_.read.count() >= 0 ? choosing_.read : *conf_.read_timeout; }
  Scope& tasks() { return own_attempts_ ? x_.background : x_.scope; }

  // forward_connect.cc
  Task<bool> connect();
  bool take_open(const H2Key& key);
  Task<bool> open_new(const H2Key& key);
  void share(std::shared_ptr<H2Upstream> connection);
  std::string identity() const;
  DialOptions dial_options() const;
  bool open_stream(Fd fd);
  std::string proxy_header() const;
  Task<bool> send_proxy_header();
  Task<bool> shake_hands();
  void use_sessions(TlsClientStream& tls);

  // forward_wait.cc
  Task<bool> names_known();                      // false: cancelled meanwhile
  Task<bool> wait_for_server();                  // true: all are asked again
  bool may_wait() const;
  void end_wait();

  // forward_cache.cc
  Task<bool> ask_cache(Outcome& outcome);        // true: it has the answer
  const CachePath* choose_cache(bool& failed);
  std::string cache_key();
  bool follow(CacheUse::Found found, Outcome& outcome);
  void ask_for_all();
  void add_age(Response& response, const CacheEntry& entry);
  void answer_from_cache(const char* status, Outcome& outcome);
  void update_in_background(Outcome& outcome);
  Task<void> update(std::shared_ptr<Forwarding> self);
  bool use_stale(unsigned why, bool answered, Outcome& outcome);
  bool use_unchanged(Outcome& outcome);
  void leave_upstream();
  void begin_to_keep();
  bool is_kept() const { return stored_ || (cache_ && cache_->keeps()); }
  bool fills_cache() const { return is_kept() && !ended_ && !broken_ && connection_; }
  void forget_changed();
  void begin_to_store();
  void store();
  void remember_error(int status, const UpstreamHead* head);
  Task<void> fill_cache(std::shared_ptr<Forwarding> self);

  // forward_send.cc
  void send();                                   // what can be sent at once is; the rest by a task
  Task<void> send_rest(std::shared_ptr<Forwarding> self, bool streams);
  Task<Result<void>> send_pieces();
  Task<Result<void>> send_file();
  Task<Result<void>> send_stream();
  void start_stream();
  Task<void> send_head(std::shared_ptr<Forwarding> self);
  void no_more_attempts();
  Task<Result<void>> send_piece(Piece piece);
  void add_framed(std::string_view data, bool last);
  Task<Result<void>> send_framed(std::string_view data, bool last);
  Result<bool> try_send();                       // of pieces_; false: must wait
  Task<bool> stop_sending();                     // false: cancelled meanwhile
  void add_piece(std::string_view bytes) {
    if (!bytes.empty()) pieces_.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  }

  // forward_head.cc
  Task<Result<UpstreamHead>> read_head();
  Result<std::optional<UpstreamHead>> find_head();
  Task<Result<void>> wait_for_head(Io io);
  Task<void> pass_hints(UpstreamHead hints);
  bool answer(UpstreamHead head, Outcome& outcome);  // false: another server is to be asked
  bool ends_upload(const UpstreamHead& head) const;
  bool asks_next(int status);
  bool is_intercepted(int status) const;
  void intercept(int status, Outcome& outcome);
  bool follow_accel(Outcome& outcome);
  void take_rate();
  void take_charset();
  void make_response(Outcome& outcome);
  void copy_head();
  void copy_fields(Response& response);
  void stick(Response& response);
  void copy_field(const Field& field, Response& response);
  Body make_body();

  // forward_body.cc
  std::optional<Result<Piece>> take();
  Io pull();                                     // reads once and takes apart what came; done: the queue may have grown
  void take_apart();
  void finish();                                 // the response is here in full
  void break_off(std::error_code error);
  Task<void> read_ahead(std::shared_ptr<Forwarding> self);
  Task<Errc> wait_for_more(Io io);
  Errc after_wait(Errc waited);                  // timed_out: for good
  void distrust();                               // a shared connection that is silent
  std::int64_t allowed() const;                  // bytes, by limit_rate
  bool may_spill() const;
  bool queue_is_full() const;
  void push(Slice data);
  bool spill(std::string_view data);
  std::span<char> room();
  std::size_t memory() const;

  // forward_tunnel.cc
  Task<void> copy(std::shared_ptr<Forwarding> self, TunnelEnd from, TunnelEnd to, Slice first, bool to_client);

  Exchange& x_;
  const ForwardConf& conf_;
  ForwardTo to_;
  UpstreamProtocol& protocol_;
  const std::unique_ptr<Attempts> own_attempts_;  // of an update in the background: the request's are another's
  Attempts& attempts_;
  std::unique_ptr<LoopGroup> own_group_;         // of a group made for this request
  LoopGroup& group_;
  PeerChoice choice_;
  std::int64_t started_;
  Scope* scope_ = nullptr;                       // the handler runs in it
  bool buffers_request_ = true, buffering_ = true;

  // The present attempt.
  PeerState* peer_ = nullptr;
  PeerChooser::Try choosing_;
  std::unique_ptr<PeerState> chosen_;            // the chooser's, which is none of the group's
  std::unique_ptr<UpstreamConnection> connection_;
  std::size_t attempt_ = 0;                      // index into attempts_
  const char* doing_ = "connecting to upstream"; // for the log
  bool reused_ = false;                          // the connection had been idle
  bool request_sent_ = false;                    // some of the request has gone
  bool body_begun_ = false;                      // ... and of a body that is not kept: nobody else can have that
  Failure failure_;

  // While no server can be reached (*_wait).
  std::unique_ptr<WaitingPlace> waiting_;        // null: it does not wait
  std::int64_t waits_until_ = 0;                 // ns
  bool is_scout_ = false;                        // tries the servers for all that wait
  std::size_t first_attempt_ = 0;                // index into attempts_
  std::size_t hints_size_ = 0;                   // of 103 so far
  TlsClientStream* tls_ = nullptr;               // of a new connection that speaks it
  std::string tls_name_;                         // what the server's certificate must be for

  // The request on its way.
  std::string head_;
  std::string before_, after_;
  std::vector<iovec, PoolAllocator<iovec>> pieces_;
  std::size_t piece_ = 0;
  bool body_in_pieces_ = false;                  // all of it
  std::optional<Piece> first_;                   // of a body that goes on as it comes: each attempt begins with it
  bool sending_ = false, sent_ = false;
  bool head_waits_ = false;                      // for room, before any of the body is here
  Event head_gone_;
  Scope* send_scope_ = nullptr;
  Event sending_ended_;
  std::error_code send_error_, client_error_;

  // The cache.
  std::unique_ptr<CacheUse> cache_;              // null: there is none for this request
  bool asked_cache_ = false;                     // ... and for the client
  bool may_keep_ = false;                        // the response
  bool has_stale_ = false;                       // it has one that is too old
  bool asked_for_all_ = false, from_cache_ = false;
  bool filling_ = false;                         // nobody but the cache reads the body
  std::unique_ptr<StoredFile> stored_;           // *_store: the file it goes into

  // The response.
  bool switched_ = false;
  std::optional<std::uint64_t> length_;
  SliceQueue queue_;
  std::size_t queued_ = 0;
  Spill spill_;
  bool ended_ = false;                           // all of it is in the queue
  std::error_code broken_;
  bool reading_ahead_ = false;
  std::int64_t last_read_ = 0;                   // ns
  std::uint64_t body_read_ = 0;
  std::int64_t rate_ = 0, rate_from_ = 0;        // bytes a second; ns
  std::size_t read_size_ = 16 * 1024;
  Event more_, room_;
};

}  // namespace seawall
