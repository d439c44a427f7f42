#include "seawall/server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "seawall/async/look.h"
#include "seawall/base/text.h"
#include "seawall/log/log_form.h"
#include "seawall/net/loop.h"
#include "seawall/server/client_status.h"
#include "seawall/server/event_counts.h"
#include "seawall/server/failures.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/http_conf.h"
#include "seawall/server/live_explain.h"
#include "seawall/server/more_input.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/probe.h"
#include "seawall/server/proxy_protocol.h"
#include "seawall/server/vhost.h"
#include "seawall/tls/alpn_challenges.h"
#include "seawall/tls/certificate_cache.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> number{0};
  return ++number;
}

void count_handshake(const TlsStream& tls) {
  const std::string how = std::string(SSL_get_version(tls.ssl())) + ' ' + SSL_get_cipher_name(tls.ssl());
  handshake_counts().at(how)[SSL_session_reused(tls.ssl()) ? 1 : 0].add();
}

// True when the connection goes on, encrypted or (for the 400 that explains) plain.
Task<bool> handshake(Connection& c, TlsStream& tls) {
  c.enter(ConnState::handshake);
  Result<void> done = co_await tls.handshake(Deadline::in(*c.vhost->tls_conf->handshake_timeout, Wait::handshake));
  if (done) {
    count_handshake(tls);
    co_return true;
  }
  if (done.error() == Errc::plain_on_tls) {
    c.log(failed(*c.vhost, Failure::tls_http_on_https), "client sent plain HTTP request to HTTPS port while reading client request headers");
    tls.go_plain();
    c.plain_on_tls = true;
    co_return true;
  }
  if (done.error() == Errc::timed_out) {
    c.server.count_timeout(Wait::handshake);
    c.log(failed(*c.vhost, Failure::timeout_handshake), "client timed out while SSL handshaking");
  } else if (done.error() == Errc::tls_failed) {
    c.log(failed(*c.vhost, tls_failure(tls.error_reason())), "SSL_do_handshake() failed " + tls.error_text() + " while SSL handshaking");
  } else {
    const Failure how = done.error() == Errc::peer_closed ? Failure::tls_eof : Failure::reset_handshake;
    c.log(failed(*c.vhost, how), describe(done.error()) + " while SSL handshaking");
  }
  co_return false;
}

// A first line without a version is of neither protocol: a client of HTTP/2 would not understand a 400 of HTTP/1.
bool is_http1(std::string_view begun) {
  const auto end = begun.find('\n');
  return end == std::string_view::npos || skip_empty_lines(begun).size() < begun.size() ||
         begun.substr(0, end).find(" HTTP/") != std::string_view::npos;
}

// Of one that has not said what it speaks.
void end_unheard(Connection& c, Errc late) {
  c.abrupt = true;
  if (late == Errc::exhausted) return c.log(failed(*c.vhost, Failure::too_many_headers), "too many unfinished request heads of this address");
  c.time_out(Wait::header, *c.core);
  c.log(failed(*c.vhost, Failure::timeout_header), "client timed out while reading client request headers");
}

// HTTP/2 with prior knowledge begins with words that no HTTP/1 request begins with (RFC 9113 3.4). They are waited for only
// as long as what has come may still become them; what is no whole line of them when its time is over may as well be HTTP/1, and is
// told so. Nothing: the client has left, or said nothing in time.
Task<std::optional<bool>> begins_with_preface(Connection& c) {
  c.head_clock.start(c.header_timeout(*c.core));
  for (;;) {
    if (!c.in.empty()) c.enter(ConnState::header);
    const std::string_view begun = c.in.view().substr(0, kH2Preface.size());
    if (begun != kH2Preface.substr(0, begun.size())) {
      if (is_http1(c.in.view())) co_return false;
      c.log(failed(*c.vhost, Failure::bad_request_http2), "invalid connection preface");
      co_return std::nullopt;
    }
    if (begun.size() == kH2Preface.size()) co_return true;
    const Result<void> more = co_await read_more(c, c.head_clock.next());
    if (more) continue;
    if (more.error() != Errc::timed_out) co_return std::nullopt;
    const Errc late = c.head_is_late();
    if (late == Errc::ok) continue;
    if (!c.in.empty() && c.in.view().find('\n') == std::string_view::npos) co_return false;
    end_unheard(c, late);
    co_return std::nullopt;
  }
}

bool may_begin_with_preface(const Connection& c) {
  return !c.info.tls && (c.vhost->http2_on_plain || c.endpoint->options.http2);
}

// May the client be sending, or have sent what nobody will read? The kernel answers that with a reset, which can overtake
// the response.
bool must_linger(const Connection& c) {
  if (c.abrupt || c.core->lingering_time->count() <= 0 || c.core->lingering_timeout->count() <= 0) return false;
  switch (*c.core->lingering_close) {
    case LingeringClose::off: return false;
    case LingeringClose::on: return c.linger || !c.in.empty() || c.stream->socket().may_read();
    case LingeringClose::always: return true;
  }
  return false;
}

// Closes in two steps when it must linger: our end first, then the client's bytes are read away (lingering_close).
Task<void> close(Connection& c) {
  const CoreConf& core = *c.core;
  if (c.reset) co_return;
  c.stream->end();
  if (!must_linger(c)) co_return;
  c.enter(ConnState::linger);
  c.idle_since = c.server.loop.now();
  const Deadline whole = Deadline::in(*core.lingering_time, Wait::linger);
  Socket& socket = c.stream->socket();
  for (;;) {
    const Io io = socket.try_read(c.server.loop.scratch());
    if (io.kind == Io::done) continue;
    if (io.kind != Io::want_read) co_return;
    const Deadline gap = Deadline::in(*core.lingering_timeout, Wait::linger).earlier(whole);
    const Errc waited = co_await socket.wait(Socket::reading, gap);
    if (waited == Errc::ok) continue;
    if (waited == Errc::timed_out) {
      c.server.count_timeout(Wait::linger);
      c.log(Level::info, "client timed out while closing the connection");
    }
    co_return;
  }
}

// May this server not be reached over this connection? Not when it refuses handshakes, nor when it wants to see other client
// certificates than those that the handshake has verified. (nginx compares with the server that SNI names.) One that names no
// authority, and has the default server's certificate, trusts whom that trusts.
bool is_misdirected(const Connection& c, const Exchange& x) {
  const TlsConf& wanted = *x.vhost->tls_conf;
  if (x.vhost != c.vhost && *wanted.reject_handshake) return true;
  if (x.vhost == c.vhost && wanted.client_certificate->empty() && wanted.trusted_certificate->empty()) return false;
  const TlsConf& seen = c.shaken_by();
  return *wanted.verify != VerifyClient::off && &wanted != &seen && !verify_alike(wanted, seen);
}

// What ssl_verify_client says of the client's certificate: 495, 496, or 0 when it may pass.
int refused_client(const TlsStream& tls, const Exchange& x) {
  const VerifyClient rule = *x.vhost->tls_conf->verify;
  if (rule == VerifyClient::off) return 0;
  const long verdict = SSL_get_verify_result(tls.ssl());
  if (verdict != X509_V_OK && !(rule == VerifyClient::optional_no_ca && is_authority_unknown(verdict))) {
    x.log(Level::info, "client SSL certificate verify error: (" + std::to_string(verdict) + ":" +
                           X509_verify_cert_error_string(verdict) + ")");
    return 495;
  }
  if (const char* refusal = tls.client_refusal()) {
    x.log(Level::info, std::string("client SSL certificate verify error: ") + refusal);
    return 495;
  }
  if (rule != VerifyClient::on || SSL_get0_peer_certificate(tls.ssl())) return 0;
  x.log(Level::info, "client sent no required SSL certificate");
  return 496;
}

Milliseconds bounded(const Setting<Milliseconds>& setting, const Connection& c, const CoreConf& core) {
  if (!core.plain_patience || c.endpoint->options.ssl || !setting.is_default()) return *setting;
  return std::min(*setting, *core.plain_patience);
}

}  // namespace

Connection::Connection(LoopServer& server, Fd fd, const ListenSocket* door, const Probe* probe)
    : server(server), endpoint(probe ? probe->endpoint : nullptr) {
  info.number = next_number();
  info.started = server.loop.now();
  info.fd = fd.get();
  if (Result<Address> peer = Address::peer_of(fd.get())) info.remote = *peer;
  if (Result<Address> local = Address::local_of(fd.get())) info.local = *local;
  if (door) endpoint = door->find(info.local);
  else play(*probe);
  info.peer = info.remote;
  vhost = endpoint->default_server;
  core = vhost->core;
  if (endpoint->options.ssl) stream = std::make_unique<TlsStream>(std::move(fd), *vhost->tls, *this);
  else stream = std::make_unique<Stream>(std::move(fd));
  if (endpoint->options.so_keepalive != ListenOptions::Keepalive::system || info.local.is_unix() || probe) user_timeout_.leave();
  ++server.counts().states[static_cast<std::size_t>(state_)];  // what may throw is done: from here on it is counted out again
  ++server.counts().handled;
}

// As if it had come from there to this address.
void Connection::play(const Probe& probe) {
  info.probe = &probe;
  info.local = probe.endpoint->address;
  if (!probe.from.empty()) info.remote = probe.from;
}

// The server a ClientHello asks for; its own context, or none when it refuses handshakes.
const TlsContext* Connection::select(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!name.empty()) {
    const ServerMatch found = endpoint->names.find(lower(name), nullptr);
    if (found.failed) return nullptr;
    if (found.vhost) vhost = found.vhost;
  }
  core = vhost->core;
  const TlsConf& conf = shaken_by();
  if (*vhost->tls_conf->reject_handshake || (conf.given && !conf.given->is_there())) return nullptr;
  return vhost->tls ? vhost->tls.get() : endpoint->default_server->tls.get();
}

// The paths of ssl_certificate with variables are those of a request that has said nothing yet but the server's name.
bool Connection::load_certificates(SSL* ssl) {
  const TlsConf& conf = shaken_by();
  if (!(vhost->tls ? vhost : endpoint->default_server)->tls->settings().pairs_vary) return true;
  Exchange nobody(info, RequestHead(), *vhost);
  try {
    for (std::size_t i = 0; i < conf.certificates->size(); ++i) {
      const std::string certificate = (*conf.certificates)[i].eval(nobody), key = (*conf.keys)[i].eval(nobody);
      CertificateCache* const cache = conf.certificate_cache->get();
      const auto pair = cache ? cache->get(certificate, key, *conf.passwords, server.loop.now())
                              : LoadedPair::load(certificate, key, *conf.passwords);
      pair->give(ssl);
    }
    return true;
  } catch (const TlsError& error) {
    log(Level::error, std::string(error.what()) + " while SSL handshaking");
    return false;
  }
}

const TlsConf& Connection::shaken_by() const { return *(vhost->tls ? vhost : endpoint->default_server)->tls_conf; }

bool Connection::offers_h2() const { return vhost->http2_on_tls || endpoint->options.http2; }

Connection::~Connection() { --server.counts().states[static_cast<std::size_t>(state_)]; }

void Connection::enter(ConnState state) {
  unlink();
  --server.counts().states[static_cast<std::size_t>(state_)];
  state_ = state;
  ++server.counts().states[static_cast<std::size_t>(state_)];
}

Milliseconds Connection::header_timeout(const CoreConf& there) const { return bounded(there.client_header_timeout, *this, there); }
Milliseconds Connection::send_timeout(const CoreConf& there) const { return bounded(there.send_timeout, *this, there); }

Errc Connection::head_is_late() {
  const bool known = info.proxied && !info.proxied->client.empty();
  return head_clock.is_over(server.header_limit, known ? info.proxied->client : info.remote);
}

void Connection::log_exception(std::exception_ptr failed) const {
  try {
    std::rethrow_exception(failed);
  } catch (const std::exception& error) {
    log(Level::error, std::string("a request ended by an exception: ") + error.what());
  } catch (...) {
    log(Level::error, "a request ended by an unknown exception");
  }
}

void Connection::time_out(Wait wait, const CoreConf& core_there) {
  server.count_timeout(wait);
  abrupt = true;
  if (*core_there.reset_timedout_connection) close_with_reset();
}

void Connection::close_with_reset() {
  reset = true;
  stream->socket().reset();
}

void Connection::become_idle() {
  enter(ConnState::idle);
  idle_since = server.loop.now();
  server.idle.push_back(*this);
}

bool Connection::has_input() const {
  char byte;
  return ::recv(stream->socket().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Connection::log(Level level, std::string_view message) const {
  const LogTargets& own = *vhost->core->error_log;
  const LogTargets& targets = own.empty() ? main_log() : own;
  if (!logs_at(targets, level) || (info.probe && level > Level::error)) return;
  const std::string client = info.remote.text(), server = info.local.text_with_port();
  const LogField fields[] = {{"client", client, false}, {"server", server, false}};
  LogAbout about;
  about.connection = info.number;
  about.fields = fields;
  seawall::log(targets, level, about, message);
}

namespace {

// One of `door` and `probe` is null.
Task<void> serve(LoopServer& server, Fd fd, const ListenSocket* door, const Probe* probe) {
  Connection c(server, std::move(fd), door, probe);
  c.task = co_await current_coroutine();
  if (c.endpoint->options.proxy_protocol) {
    const bool known = co_await read_proxy_protocol(c);
    if (!known) co_return;
  }
  if (c.endpoint->options.ssl) {
    auto& tls = static_cast<TlsStream&>(*c.stream);
    c.info.tls = &tls;
    const bool open = co_await handshake(c, tls);
    if (!open || tls.alpn() == kAcmeTls) co_return;  // a CA has seen all that it wanted
    if (!c.plain_on_tls) co_await ask_client_status(c, tls);
  }
  bool h2 = c.info.tls && c.info.tls->alpn() == "h2";
  if (may_begin_with_preface(c)) {
    const std::optional<bool> begun = co_await begins_with_preface(c);
    if (!begun) co_return;
    h2 = *begun;
  }
  if (h2) co_await serve_h2(c);
  else co_await serve_h1(c);
  co_await close(c);
}

}  // namespace

Task<void> serve(LoopServer& server, Fd fd, const ListenSocket& door) { return serve(server, std::move(fd), &door, nullptr); }

Task<void> serve_probe(LoopServer& server, Fd fd, const Probe& probe) { return serve(server, std::move(fd), nullptr, &probe); }

std::unique_ptr<Exchange> make_exchange(const Connection& c, ConnectionInfo& info, RequestHead&& head, Scope* scope) {
  Captures captures;
  const ServerMatch found = c.endpoint->names.find(head.host, &captures);
  const Vhost* vhost = found.vhost;
  if (!vhost) vhost = c.endpoint->default_server;
  std::unique_ptr<Exchange> x;
  if (!info.probe && asks_why(head, *vhost)) x = make_explained(info, *c.endpoint, std::move(head), *vhost, scope);
  else x = std::make_unique<Exchange>(info, std::move(head), *vhost, scope);
  tell(*x, [&] {
    return "server \"" + vhost->primary_name + "\" in " + vhost->place.text() +
           (!found.vhost ? ", the default server: no other has the name" : found.regex ? ", by a regular expression" : ", by its name");
  });
  x->name_search_failed = found.failed;
  if (found.regex) {
    keep_named_captures(*x, *found.regex, captures);
    x->captures = std::move(captures);
  }
  return x;
}

int wrong_connection(const Connection& c, const Exchange& x) {
  if (x.name_search_failed) return 500;
  if (c.plain_on_tls) return 497;
  if (x.request.version == Version::http2 && !c.endpoint->options.http2 &&
      !(c.info.tls ? x.vhost->http2_on_tls : x.vhost->http2_on_plain)) {
    x.log(Level::info, "client attempted to request the server name for which the negotiated protocol is disabled");
    return 421;
  }
  if (!c.info.tls) return 0;
  if (is_misdirected(c, x)) {
    x.log(Level::info, "client attempted to request the server name different from the one that was negotiated");
    return 421;
  }
  return refused_client(*c.info.tls, x);
}

}  // namespace seawall
