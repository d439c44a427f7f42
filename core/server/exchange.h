// Exchange: one request and its one response, from the first byte of the head to the log line. Lives on one loop, on the
// heap, owned by its connection (or stream).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/async/deadline.h"
#include "seawall/async/scope.h"
#include "seawall/base/arena.h"
#include "seawall/base/pool.h"
#include "seawall/config/binder.h"
#include "seawall/config/regex.h"
#include "seawall/http/message.h"
#include "seawall/log/log.h"
#include "seawall/net/address.h"
#include "seawall/route/locations.h"
#include "seawall/server/request_body.h"

namespace seawall {

class Exchange;
class Loop;
class TlsStream;
class Vhost;
class CoreConf;
class Probe;
struct Plan;

// What a PROXY protocol header said.
class Proxied {
 public:
  Address client, server;  // empty: it did not say
};

// What an exchange may know of the connection it came on.
class ConnectionInfo {
 public:
  std::uint64_t number = 0;       // nginx's $connection
  std::uint64_t requests = 0;     // on this connection so far, this one included
  std::int64_t started = 0;       // ns, monotonic
  Address remote;                 // the peer's; replaced by realip
  Address peer;                   // the peer's, as the socket has it
  Address local;
  std::shared_ptr<const Proxied> proxied;  // where the listener takes the PROXY protocol; else null
  TlsStream* tls = nullptr;
  int fd = -1;                    // of the socket, for $tcpinfo_*
  bool pipelined = false;         // the current request was here before the response to the one before it
  const Probe* probe = nullptr;   // of who asks why (server/probe.h); mostly null
};

// Who tells the client something in front of the response (1xx). One loop.
class Informer {
 public:
  virtual ~Informer() = default;
  // Waits until it is out, for send_timeout at most.
  virtual Task<Result<void>> inform(Exchange& x, int status, const Headers& fields) = 0;
};

class SEAWALL_API Exchange {
 public:
  // The handler runs in a scope below `parent`: what ends that ends it.
  Exchange(ConnectionInfo& connection, RequestHead&& head, const Vhost& vhost, Scope* parent = nullptr);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  static void* operator new(std::size_t size) { return pool_allocate(size); }
  static void operator delete(void* memory, std::size_t size) { pool_free(memory, size); }
  Exchange& operator=(const Exchange&) = delete;

  Loop& loop;
  Scope scope;                    // what the handler spawned; cancelled and joined when the response is out
  Scope background;               // what goes on after that (mirror): joined, and only then does the exchange end
  bool at_work() const { return !scope.empty() || !background.empty(); }
  ConnectionInfo& connection;
  RequestHead request;            // as it came; of a subrequest: its own method, and the parent's fields
  RequestBody body;

  // Where the request is now: changed by rewrites and internal redirects.
  Method method;
  std::string uri;                // decoded, normalised
  std::string args;
  const Vhost* vhost;
  const Location* location;       // never null once located; a server without locations has its own root
  bool internal = false;          // after an internal redirect
  bool uri_changed_here = false;  // by the location it is in (rewrite ... break): it does not begin with the location's name any more
  bool uri_follows_alias = false; // try_files found a file behind an alias of a regex location: nginx's add_uri_to_alias
  Captures captures;              // of the last regex that matched ($1..)
  std::vector<std::pair<std::string, std::string>> named_captures;  // (?<name>...) of locations and server names

  Informer* informer = nullptr;   // null: the client understands no 1xx, or this is a subrequest

  // Of a subrequest (server/subrequest.h): whose it is; it ends before that does. Access rules and what shapes the response
  // that the client gets (add_header, compression, ranges) do not concern it.
  Exchange* parent = nullptr;
  Exchange& main() { return parent ? parent->main() : *this; }
  const Exchange& main() const { return parent ? parent->main() : *this; }

  // The Conf of a module that is in force here.
  template <class M>
  const typename M::Conf& conf() const { return *static_cast<const typename M::Conf*>(conf(module_number<M>)); }
  const void* conf(int module) const;
  const CoreConf& core() const { return *core_; }
  const LogTargets& log_targets() const;

  // What module M keeps for this request; made on first use, destroyed with the exchange.
  template <class M>
  typename M::State& state() {
    if (Held* known = find_held(module_number<M>)) return static_cast<HeldState<M>*>(known)->state;
    auto* const made = new HeldState<M>;
    made->destroy = [](Held* held) { delete static_cast<HeldState<M>*>(held); };
    hold(*made, module_number<M>);
    return made->state;
  }

  // Moves to another location (or server root); the plan, the settings and the deadlines follow.
  void enter(const Location& location);
  const Plan& plan() const { return *plan_; }

  // B24: the current request's handler deadline, from now; bounded by request_max_time.
  void set_deadline(Milliseconds from_now);
  std::int64_t handler_deadline() const { return handler_deadline_; }
  // request_max_time's end: no wait for this request lasts longer, whatever its own deadline says; tunnels are exempt.
  Deadline last_deadline(Wait wait) const;
  // Kept by the core: handler_timeout runs from the first wait to the first byte of the response, anew when another
  // location takes over, and stands still while the client's body is awaited.
  bool handler_clock_started() const { return clock_started_; }
  void start_handler_clock();
  void end_handler_clock();
  void pause_handler_clock();
  void resume_handler_clock();
  bool handler_timed_out = false;

  // B39's other side: an HTTP/1 client that closes while the handler waits ends it (499), as nginx ends a proxied request;
  // found within a second. A handler that goes on without its client (proxy_ignore_client_abort) says so here.
  bool outlives_client = false;
  bool client_left = false;

  // Closes the connection (HTTP/1) or resets the stream (HTTP/2) without a response, once the current step returns.
  // B39: logged as 444/499, no error line.
  void abort() { aborted = true; }
  bool aborted = false;
  bool body_refused = false;      // longer than client_max_body_size: said once, its error page is not asked again
  bool name_search_failed = false;  // a regex of server_name hit its match limit: nobody knows whose request it is

  // Whom the request is being passed to ("http://10.0.0.1:80/a"), for the lines of the log; empty: nobody.
  std::string upstream;

  // One error-log line about this request: message, client, server, request, upstream, host (nginx's tail).
  void log(Level level, std::string_view message) const;
  bool logs_at(Level level) const { return seawall::logs_at(log_targets(), level); }

  // The values of variables that are asked once (VariableRow::cached).
  struct Cached {
    const VariableRow* row;
    std::string value;
    bool found;
  };
  std::vector<Cached> cached_variables;

  // limit_rate: bytes of the response a second, 0: as fast as may be. Nobody has said anything (set $limit_rate, a back
  // end): the location's, looked up when the response begins.
  std::optional<std::int64_t> limit_rate;

  // What an upstream has said about the file that it leaves to us (X-Accel-Redirect): the final response has these fields.
  Headers kept_fields;

  // For the log and the variables.
  int status = 0;                       // of the response as sent; 0 before
  const Response* response = nullptr;   // the head being sent, while there is one
  std::uint64_t bytes_sent = 0;         // head and body
  std::uint64_t body_bytes_sent = 0;
  std::int64_t started = 0;             // ns, monotonic: the first byte of the head
  const std::int64_t head_read;         // ns: all of the head is here
  std::int64_t response_begun = 0;      // ns: the handler has its response, or has none; 0 before
  std::int64_t body_waited = 0;         // ns that the handler has waited for the client's body
  bool keep_alive = true;               // what the head said; the response may end it
  bool chunked_response = false;
  std::optional<std::uint64_t> sent_content_length;  // as the head says it, also where no body follows (HEAD)
  Headers sent_trailers;
  bool completed = false;               // all of the response is out

 private:
  // The states, by the modules' numbers, the highest first: few modules keep anything for a request.
  struct Held {
    Held* next = nullptr;
    int module = 0;
    void (*destroy)(Held*) = nullptr;
  };
  template <class M>
  struct HeldState final : Held, Pooled {
    typename M::State state;
  };
  Held* find_held(int module) const {
    Held* held = held_;
    while (held && held->module > module) held = held->next;
    return held && held->module == module ? held : nullptr;
  }
  void hold(Held& held, int module);
  Held* held_ = nullptr;
  const Plan* plan_ = nullptr;
  const CoreConf* core_ = nullptr;
  std::int64_t handler_deadline_ = Deadline::kNever;
  std::int64_t handler_left_ = Deadline::kNever;  // ns, of a paused clock
  bool clock_started_ = false, paused_ = false;
  bool deadline_moved_ = false;
};

}  // namespace seawall
