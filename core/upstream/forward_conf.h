// What proxy, fastcgi, uwsgi and scgi have in common in their settings: a base of their Conf, and the rows that fill it under the
// module's own prefix. Written at start-up, read by every loop.
//
//   class Conf : public ForwardConf { ... };
//   std::vector<Directive> rows = forward_directives<Conf>("fastcgi");
//   static void check(Conf& conf, Settings&, Binder&) { conf.finish("fastcgi", kHidden, binder); }
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/config/setting.h"
#include "seawall/config/template.h"
#include "seawall/upstream/cache_conf.h"
#include "seawall/upstream/stored_file.h"

namespace seawall {

// proxy_next_upstream: why another server is asked. A bit each.
namespace next_upstream {
enum : unsigned {
  error = 1, timeout = 2, invalid_header = 4, http_500 = 8, http_502 = 16, http_503 = 32, http_504 = 64, http_403 = 128,
  http_404 = 256, http_429 = 512, non_idempotent = 1024, off = 2048, no_live = 4096, updating = 8192,
  nobody_else = 16384,  // no word of a directive: whatever is allowed
};
}
// proxy_ignore_headers. A bit each.
namespace ignored {
enum : unsigned {
  redirect = 1, expires_accel = 2, limit_rate = 4, buffering = 8, charset = 16, expires = 32, cache_control = 64, set_cookie = 128,
  vary = 256,
};
}

// proxy_bind ADDRESS [transparent] | off
class BindTo {
 public:
  bool off = true;
  Template address;
  bool transparent = false;
};

// proxy_wait TIME [queue=NUMBER]
class WaitForServer {
 public:
  std::chrono::milliseconds time{0};  // 0: not at all
  std::int64_t queue = 100;           // so many requests of a group at a time
};

class Buffers {
 public:
  std::int64_t number = 8, size = 8192;
  std::int64_t total() const { return number * size; }
};

class SEAWALL_API ForwardConf : public CacheConf {
 public:
  using ms = std::chrono::milliseconds;
  Setting<ms> connect_timeout{ms(60'000)}, send_timeout{ms(60'000)}, read_timeout{ms(60'000)};
  Setting<unsigned> next_upstream{next_upstream::error | next_upstream::timeout};
  Setting<std::int64_t> next_upstream_tries{0};
  Setting<ms> next_upstream_timeout{ms(0)};
  Setting<bool> buffering{true}, request_buffering{true}, ignore_client_abort{false}, intercept_errors{false};
  Setting<bool> pass_request_headers{true}, pass_request_body{true}, pass_trailers{false}, socket_keepalive{false}, force_ranges{false};
  Setting<std::int64_t> buffer_size{8192};
  Setting<Buffers> buffers;
  Setting<std::int64_t> busy_buffers_size{16384}, max_temp_file_size{1 << 30}, temp_file_write_size{16384};
  Setting<std::int64_t> socket_receive_buffer{0}, socket_send_buffer{0}, send_lowat{0};
  Setting<std::string> temp_path{std::string()};
  Setting<unsigned> ignore_headers{0};
  Setting<std::vector<std::string>> hide_headers, pass_headers;
  Setting<Template> limit_rate;
  Setting<BindTo> bind;
  Setting<WaitForServer> wait;
  Setting<StoreTo> store;
  Setting<unsigned> store_access{0600u};

  // After inheritance. `hidden`: fields that the client does not get unless pass_header says so. ConfigError in nginx's words.
  void finish(const char* prefix, std::span<const std::string_view> hidden, const Binder& binder);
  bool hides(const Field& field) const {
    return field.id == FieldId::other ? hides_other(field.name) : (hidden_known_ >> static_cast<unsigned>(field.id)) & 1;
  }
  bool hides(std::string_view name) const { return hides(Field(name, {}, field_id(name))); }

 private:
  bool hides_other(std::string_view name) const;
  std::vector<std::string> hidden_;  // a handful
  std::uint64_t hidden_known_ = 0;   // a bit for each FieldId but other
};

// For forward_directives; each throws ConfigError in nginx's words.
SEAWALL_API unsigned parse_next_upstream(const Invocation& in);
SEAWALL_API unsigned parse_ignored_headers(const Invocation& in);
SEAWALL_API Buffers parse_buffers(const Invocation& in);
SEAWALL_API BindTo parse_bind(const Invocation& in);
SEAWALL_API WaitForServer parse_wait(const Invocation& in);
SEAWALL_API std::string parse_temp_path(const Invocation& in);
SEAWALL_API void append_word(std::vector<std::string>& words, const Invocation& in);
// A word of *_cache_use_stale; 0: none.
SEAWALL_API unsigned stale_bit(std::string_view word);

// The rows of what is above, named after the module: proxy_read_timeout ...
template <class C>
std::vector<Directive> forward_directives(const char* prefix) {
  const auto n = [prefix](const char* name) { return prefixed_name(prefix, name); };
  constexpr unsigned w = kHttp | kServer | kLocation;
  std::vector<Directive> rows = {
      duration<C>(n("_connect_timeout"), w, &C::connect_timeout, "Until the connection to the upstream stands."),
      duration<C>(n("_send_timeout"), w, &C::send_timeout, "Between two writes to it."),
      duration<C>(n("_read_timeout"), w, &C::read_timeout, "Between two reads from it; of a tunnel: without a byte in either direction."),
      directive<C, unsigned>(n("_next_upstream"), w, 1, kMany, "error | timeout | http_502 | ... | off", &C::next_upstream,
                             parse_next_upstream, "Why the next server is asked.", "error timeout"),
      number<C>(n("_next_upstream_tries"), w, &C::next_upstream_tries, "How many servers are asked at most; 0: all."),
      duration<C>(n("_next_upstream_timeout"), w, &C::next_upstream_timeout, "... and how long; 0: no limit."),
      flag<C>(n("_buffering"), w, &C::buffering, "Reads ahead of a slow client, so that the upstream is free early."),
      flag<C>(n("_request_buffering"), w, &C::request_buffering, "Reads the whole body before a server is asked."),
      flag<C>(n("_ignore_client_abort"), w, &C::ignore_client_abort, "Goes on when the client has left."),
      flag<C>(n("_intercept_errors"), w, &C::intercept_errors, "error_page applies to what the upstream answers."),
      flag<C>(n("_pass_request_headers"), w, &C::pass_request_headers, "Passes the client's fields on."),
      flag<C>(n("_pass_request_body"), w, &C::pass_request_body, "Passes the client's body on."),
      flag<C>(n("_socket_keepalive"), w, &C::socket_keepalive, "SO_KEEPALIVE towards the upstream."),
      flag<C>(n("_force_ranges"), w, &C::force_ranges, "Cuts ranges out of responses whatever they say of ranges."),
      size<C>(n("_buffer_size"), w, &C::buffer_size, "Bounds the response's head."),
      directive<C, Buffers>(n("_buffers"), w, 2, 2, "number size", &C::buffers, parse_buffers,
                            "What is read ahead into memory (ours: at least 64k).", "8 8k"),
      size<C>(n("_busy_buffers_size"), w, &C::busy_buffers_size, "Accepted; a piece on its way to the client is at most 64k."),
      size<C>(n("_max_temp_file_size"), w, &C::max_temp_file_size, "What is read ahead into a file behind that; 0: nothing."),
      size<C>(n("_temp_file_write_size"), w, &C::temp_file_write_size, "Accepted; a write is as large as a read was."),
      directive<C, std::string>(n("_temp_path"), w, 1, 4, "path", &C::temp_path, parse_temp_path, "Where those files are.",
                                n("_temp")),
      size<C>(n("_socket_rcvbuf"), w, &C::socket_receive_buffer, "SO_RCVBUF towards the upstream; 0: the system's."),
      size<C>(n("_socket_sndbuf"), w, &C::socket_send_buffer, "SO_SNDBUF."),
      size<C>(n("_send_lowat"), w, &C::send_lowat, "Accepted; Linux has no use for it."),
      custom<C>(n("_ignore_headers"), w, 1, kMany, "field ...",
                [](C& conf, const Invocation& in) {
                  conf.ignore_headers.edit() |= parse_ignored_headers(in);
                  conf.ignore_headers.mark_set(in.node.place);
                },
                "Fields of the response that have no effect: X-Accel-..., Expires, ...",
                [](C& conf, const C& outer) { conf.ignore_headers.inherit(outer.ignore_headers); }),
      list<C, std::string>(n("_hide_header"), w, 1, 1, "field", &C::hide_headers, append_word, "Not passed to the client."),
      list<C, std::string>(n("_pass_header"), w, 1, 1, "field", &C::pass_headers, append_word, "Passed although hidden by default."),
      value<C>(n("_limit_rate"), w, &C::limit_rate, "Bytes a second read from the upstream; 0 or empty: no limit."),
      directive<C, BindTo>(n("_bind"), w, 1, 2, "address [transparent] | off", &C::bind, parse_bind,
                           "Our end of connections to the upstream.", "off"),
      directive<C, WaitForServer>(n("_wait"), w, 1, 2, "time [queue=number]", &C::wait, parse_wait,
                                  "Ours: a request that may be sent again waits so long while no server can be reached, instead of 502; "
                                  "at most so many of an upstream at a time.", "0 queue=100"),
      directive<C, StoreTo>(n("_store"), w, 1, 1, "on | off | path", &C::store, parse_store,
                            "Keeps responses with status 200 as files: at the URI's place, or at this one.", "off"),
      directive<C, unsigned>(n("_store_access"), w, 1, 3, "users:permissions ...", &C::store_access, parse_access,
                             "Who may read and write them.", "user:rw"),
  };
  const std::vector<Directive> caching = cache_directives<C>(prefix);
  rows.insert(rows.end(), caching.begin(), caching.end());
  return rows;
}

}  // namespace seawall
