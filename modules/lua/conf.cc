#include "conf.h"

#include <algorithm>

#include "balancer.h"
#include "handshake.h"
#include "lua.h"
#include "seawall/log/log.h"
#include "seawall/server/server_blocks.h"
#include "seawall/tls/client_stream.h"
#include "seawall/tls/error.h"
#include "seawall/upstream/chooser.h"
#include "set.h"
#include "ssl.h"

namespace seawall::lua {
namespace {

constexpr unsigned kWithIf = kAllHttp | kLocationIf;

ChunkPtr parse_chunk(const Invocation& in) {
  if (in.node.is_block != in.node.name.ends_with("_block"))
    throw ConfigError(in.node.is_block ? "directive \"" + in.node.name + "\" is not terminated by \";\""
                                       : "directive \"" + in.node.name + "\" has no opening \"{\"");
  world_of(in);
  return std::make_shared<const Chunk>(in);
}

void set_content(Conf& conf, const Invocation& in) {
  if (conf.content && conf.block == &in.settings) throw ConfigError("\"" + in.node.name + "\" directive is duplicate");
  conf.content = parse_chunk(in);
  conf.block = &in.settings;
}

// The servers that speak TLS get the scripts that hold there, once all are known.
void give_hooks(Settings& http, Binder& binder) {
  for (const ServerBlock& server : server_blocks(http)) {
    const auto* conf = static_cast<const Conf*>(server.settings.get(module_number<Lua>));
    if (!conf || !server.has_tls()) continue;
    if (*conf->ssl_certificate) own_tls_conf(binder, server.settings).certificate_hook = make_handshake_hook(Hook::ssl_certificate, *conf->ssl_certificate);
    if (*conf->ssl_client_hello) own_tls_conf(binder, server.settings).hello_hook = make_handshake_hook(Hook::ssl_client_hello, *conf->ssl_client_hello);
  }
}

ChunkPtr parse_handshake_chunk(const Invocation& in) {
  if (!std::exchange(world_of(in).shakes_hands, true)) {
    Settings* http = &in.settings;
    while (http->outer->outer) http = http->outer;
    in.binder.at_end([&binder = in.binder, http] { give_hooks(*http, binder); });
  }
  return parse_chunk(in);
}

void set_balancer(Conf&, const Invocation& in) { set_chooser(in, make_chooser(parse_chunk(in))); }

// Said once for the whole server, in http.
template <ChunkPtr World::*Member>
void set_start(Conf&, const Invocation& in) {
  ChunkPtr& chunk = world_of(in).*Member;
  if (chunk) throw ConfigError("\"" + in.node.name + "\" directive is duplicate");
  chunk = parse_chunk(in);
}
template <std::string World::*Member>
void set_text(Conf&, const Invocation& in) { world_of(in).*Member = in.arg(0); }
template <std::int64_t World::*Member>
void set_number(Conf&, const Invocation& in) { world_of(in).*Member = parse_number(in); }
template <std::int64_t World::*Member>
void set_bytes(Conf&, const Invocation& in) { world_of(in).*Member = parse_size(in); }
template <std::chrono::milliseconds World::*Member>
void set_duration(Conf&, const Invocation& in) { world_of(in).*Member = parse_time(in); }
bool parse_code_cache(const Invocation& in) {
  const bool on = parse_flag(in);
  if (!on) log(Level::alert, "lua_code_cache is off; this will hurt performance in " + in.node.place.text());
  return on;
}

template <bool World::*Member>
void set_world_flag(Conf&, const Invocation& in) { world_of(in).*Member = parse_flag(in); }

// What has no meaning here, and is taken as it is written in OpenResty's configurations.
void ignore(Conf&, const Invocation&) {}

void add_dict(Conf&, const Invocation& in) {
  World& world = world_of(in);
  if (in.arg(0).empty()) throw ConfigError("invalid lua shared dict name \"\"");
  const auto size = size_of(in.arg(1));
  if (!size || *size <= 8191) throw ConfigError("invalid lua shared dict size \"" + in.arg(1) + "\"");
  if (world.dicts.contains(in.arg(0))) throw ConfigError("lua_shared_dict \"" + in.arg(0) + "\" is already defined as \"" + in.arg(0) + "\"");
  const std::size_t bytes = std::max(static_cast<std::size_t>(*size), SharedZone::kSmallest);
  world.dicts.emplace(in.arg(0), &in.binder.zones().get("lua:" + in.arg(0), bytes, "lua_shared_dict 1", in.node.place));
}

std::string parse_path(const Invocation& in) { return in.conf_prefixed(in.arg(0)); }

// A hook in its three forms: text, block, file.
template <class Make>
void add_hook(std::vector<Directive>& rows, const char* plain, const char* block, const char* file, unsigned where, Make make) {
  rows.push_back(make(plain, where, "code"));
  Directive in_block = make(block, where, "block");
  in_block.block = true;
  in_block.min_args = in_block.max_args = 0;
  rows.push_back(std::move(in_block));
  rows.push_back(make(file, where, "path"));
}

void add_setting(std::vector<Directive>& rows, const char* plain, const char* block, const char* file, unsigned where,
                 Setting<ChunkPtr> Conf::*field, const char* help) {
  add_hook(rows, plain, block, file, where, [&](const char* name, unsigned at, const char* kind) {
    return directive<Conf, ChunkPtr>(name, at, 1, 1, kind, field, parse_chunk, help);
  });
}
void add_custom(std::vector<Directive>& rows, const char* plain, const char* block, const char* file, unsigned where,
                void (*apply)(Conf&, const Invocation&), const char* help) {
  add_hook(rows, plain, block, file, where, [&](const char* name, unsigned at, const char* kind) {
    return custom<Conf>(name, at, 1, 1, kind, apply, help);
  });
}

void add_handshake(std::vector<Directive>& rows, const char* plain, const char* block, const char* file, Setting<ChunkPtr> Conf::*field,
                   const char* help) {
  add_hook(rows, plain, block, file, kHttp | kServer, [&](const char* name, unsigned at, const char* kind) {
    return directive<Conf, ChunkPtr>(name, at, 1, 1, kind, field, parse_handshake_chunk, help);
  });
}
// As in OpenResty there is no plain form.
void add_balancer(std::vector<Directive>& rows) {
  constexpr const char* kHelp = "Says which server each try goes to (ngx.balancer).";
  Directive in_block = custom<Conf>("balancer_by_lua_block", kUpstream, 0, 0, "block", set_balancer, kHelp);
  in_block.block = true;
  rows.push_back(std::move(in_block));
  rows.push_back(custom<Conf>("balancer_by_lua_file", kUpstream, 1, 1, "path", set_balancer, kHelp));
}

#define HOOK(name) name "_by_lua", name "_by_lua_block", name "_by_lua_file"

std::vector<Directive> hook_rows() {
  std::vector<Directive> rows;
  add_custom(rows, HOOK("init"), kHttp, set_start<&World::init>, "Runs once in each VM, before it serves.");
  add_custom(rows, HOOK("init_worker"), kHttp, set_start<&World::init_worker>, "Runs in each VM when its loop begins.");
  add_custom(rows, HOOK("exit_worker"), kHttp, set_start<&World::exit_worker>, "Runs in each VM when its loop ends.");
  add_setting(rows, HOOK("server_rewrite"), kHttp | kServer, &Conf::server_rewrite, "Runs before a location is searched.");
  add_setting(rows, HOOK("rewrite"), kWithIf, &Conf::rewrite, "Runs behind the location's own rewrite directives.");
  add_setting(rows, HOOK("access"), kWithIf, &Conf::access, "Runs behind the other rules of access.");
  add_custom(rows, HOOK("content"), kLocation | kLocationIf, set_content, "Answers the request.");
  add_setting(rows, HOOK("header_filter"), kWithIf, &Conf::header_filter, "Sees and changes the head of a response.");
  add_setting(rows, HOOK("body_filter"), kWithIf, &Conf::body_filter, "Sees and changes each piece of a body.");
  add_setting(rows, HOOK("log"), kWithIf, &Conf::log, "Runs when the response is out.");
  add_handshake(rows, HOOK("ssl_certificate"), &Conf::ssl_certificate, "Gives a connection its certificates once its server is known.");
  add_handshake(rows, HOOK("ssl_client_hello"), &Conf::ssl_client_hello,
                "Runs once a client has said hello; of the default server of the address.");
  add_balancer(rows);
  // set_by_lua $variable CODE [arguments]
  rows.push_back(custom<Conf>("set_by_lua", kServer | kServerIf | kLocation | kLocationIf, 2, kMany, "$variable code [arguments]", set_variable,
                              "Gives a variable what the code returns."));
  rows.push_back(custom<Conf>("set_by_lua_file", kServer | kServerIf | kLocation | kLocationIf, 2, kMany, "$variable path [arguments]",
                              set_variable, "Gives a variable what the file returns."));
  rows.push_back(block<Conf>("set_by_lua_block", kServer | kServerIf | kLocation | kLocationIf, 1, 1, set_variable,
                             "Gives a variable what the block returns."));
  return rows;
}

const Directive settings_rows[] = {
    custom<Conf>("lua_package_path", kHttp, 1, 1, "path", set_text<&World::package_path>, "Where require looks for modules in Lua; ;; is the usual path."),
    custom<Conf>("lua_package_cpath", kHttp, 1, 1, "path", set_text<&World::package_cpath>, "Where require looks for modules in C."),
    custom<Conf>("lua_shared_dict", kHttp, 2, 2, "name size", add_dict, "A dictionary that all loops and generations share."),
    custom<Conf>("lua_max_pending_timers", kHttp, 1, 1, "number", set_number<&World::max_pending_timers>, "Timers of a loop that wait.", nullptr, "1024"),
    custom<Conf>("lua_max_running_timers", kHttp, 1, 1, "number", set_number<&World::max_running_timers>, "Timers of a loop that run.", nullptr, "256"),
    custom<Conf>("lua_regex_cache_max_entries", kHttp, 1, 1, "number", set_number<&World::regex_cache>, "Patterns that a VM keeps compiled (option o).", nullptr, "1024"),
    custom<Conf>("lua_regex_match_limit", kHttp, 1, 1, "number", set_number<&World::regex_match_limit>, "PCRE2's match limit for ngx.re; 0: a million.", nullptr, "0"),
    custom<Conf>("lua_memory_limit", kHttp, 1, 1, "size", set_bytes<&World::memory_limit>, "Ours: what each VM may allocate; 0: no limit.", nullptr, "0"),
    custom<Conf>("lua_cpu_budget", kHttp, 1, 1, "time", set_duration<&World::cpu_budget>,
                 "Ours: how long a script may hold its loop at a stretch; then it fails, or under the JIT compiler its worker is replaced. "
                 "0: for ever.", nullptr, "10s"),
    custom<Conf>("lua_jit", kHttp, 1, 1, "on | off", set_world_flag<&World::jit>, "Ours: whether LuaJIT compiles.", nullptr, "on"),
    directive<Conf, bool>("lua_code_cache", kWithIf, 1, 1, "on | off", &Conf::code_cache, parse_code_cache,
                          "off: each request, and each subrequest, gets a VM of its own that reads everything anew."),
    flag("lua_need_request_body", kWithIf, &Conf::need_request_body, "Reads the body before rewrite, access and content hooks."),
    flag("lua_check_client_abort", kAllHttp | kLocationIf, &Conf::check_client_abort, "A client that leaves ends the script."),
    flag("lua_http10_buffering", kAllHttp | kLocationIf, &Conf::http10_buffering, "HTTP/1.0 clients get the whole output with its length."),
    flag("lua_use_default_type", kAllHttp | kLocationIf, &Conf::use_default_type, "A response without Content-Type gets default_type's."),
    flag("lua_transform_underscores_in_response_headers", kAllHttp | kLocationIf, &Conf::transform_underscores,
         "Underscores in names of ngx.header are dashes."),
    flag("rewrite_by_lua_no_postpone", kHttp, &Conf::rewrite_no_postpone, "Accepted: scripts run behind the rewrite directives."),
    flag("access_by_lua_no_postpone", kHttp, &Conf::access_no_postpone, "Accepted: scripts run behind the other rules."),
    flag("lua_socket_log_errors", kAllHttp | kLocationIf, &Conf::log_socket_errors, "Errors of cosockets are logged."),
    duration("lua_socket_connect_timeout", kAllHttp | kLocationIf, &Conf::connect_timeout, "How long a cosocket may connect."),
    duration("lua_socket_send_timeout", kAllHttp | kLocationIf, &Conf::send_timeout, "How long a cosocket waits between two writes."),
    duration("lua_socket_read_timeout", kAllHttp | kLocationIf, &Conf::read_timeout, "How long a cosocket waits between two reads."),
    duration("lua_socket_keepalive_timeout", kAllHttp | kLocationIf, &Conf::keepalive_timeout, "How long a pool keeps a connection."),
    number("lua_socket_pool_size", kAllHttp | kLocationIf, &Conf::pool_size, "Connections that a pool keeps."),
    size("lua_socket_buffer_size", kAllHttp | kLocationIf, &Conf::buffer_size, "The buffer of a cosocket."),
    directive<Conf, std::string>("lua_ssl_trusted_certificate", kAllHttp, 1, 1, "file", &Conf::trusted_certificate, parse_path,
                                 "Whom sslhandshake trusts."),
    directive<Conf, std::string>("lua_ssl_crl", kAllHttp, 1, 1, "file", &Conf::crl, parse_path, "Certificates that sslhandshake refuses."),
    number("lua_ssl_verify_depth", kAllHttp, &Conf::verify_depth, "How long a chain may be."),
    words("lua_ssl_protocols", kAllHttp, &Conf::protocols, "Versions of TLS for sslhandshake; TLSv1.2 and TLSv1.3 where it is not said."),
    text("lua_ssl_ciphers", kAllHttp, &Conf::ciphers, "Ciphers for sslhandshake."),
    custom<Conf>("lua_load_resty_core", kHttp, 1, 1, "on | off", ignore, "Accepted: resty.core is built in."),
    custom<Conf>("lua_malloc_trim", kHttp, 1, 1, "number", ignore, "Accepted: memory is given back by the allocator."),
    custom<Conf>("lua_sa_restart", kHttp, 1, 1, "on | off", ignore, "Accepted: no call here is interrupted by signals."),
    custom<Conf>("lua_capture_error_log", kHttp, 1, 1, "size", ignore, "Accepted: ngx.errlog captures nothing."),
    custom<Conf>("lua_thread_cache_max_entries", kHttp, 1, 1, "number", ignore, "Accepted: each VM keeps 1024 coroutines."),
};

const std::vector<Directive>& all_rows() {
  static const std::vector<Directive> rows = [] {
    std::vector<Directive> all = hook_rows();
    all.insert(all.end(), std::begin(settings_rows), std::end(settings_rows));
    return all;
  }();
  return rows;
}

int version_of(const std::string& word) {
  if (word == "TLSv1") return TLS1_VERSION;
  if (word == "TLSv1.1") return TLS1_1_VERSION;
  if (word == "TLSv1.2") return TLS1_2_VERSION;
  if (word == "TLSv1.3") return TLS1_3_VERSION;
  if (word == "SSLv2" || word == "SSLv3") return 0;  // nobody has them any more
  throw ConfigError("invalid value \"" + word + "\"");
}

std::shared_ptr<const TlsClientContext> tls_context(const Conf& conf) {
  TlsClientSettings settings;
  settings.ciphers = *conf.ciphers;
  settings.trusted_certificate = *conf.trusted_certificate;
  settings.crl = *conf.crl;
  settings.verify_depth = static_cast<int>(*conf.verify_depth);
  int least = 0, most = 0;
  for (const std::string& word : *conf.protocols) {
    const int version = version_of(word);
    if (!version) continue;
    least = least ? std::min(least, version) : version;
    most = std::max(most, version);
  }
  if (most) {
    settings.min_version = least;
    settings.max_version = most;
    for (int version = least; version <= most; ++version) {
      const bool named = std::any_of(conf.protocols->begin(), conf.protocols->end(), [&](auto& word) { return version_of(word) == version; });
      if (!named) settings.disabled_versions.push_back(version);
    }
  }
  try {
    return std::make_shared<const TlsClientContext>(settings);
  } catch (const TlsError& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace

World& world_of(const Invocation& in) {
  Settings* root = &in.settings;
  const Settings* http = nullptr;
  for (; root->outer; root = root->outer) http = root;
  auto& conf = *static_cast<Conf*>(in.binder.own(*root, module_number<Lua>));
  if (!conf.world) {
    conf.world = std::make_shared<World>();
    conf.world->prefix = in.binder.options().prefix;
    conf.world->variables = &in.binder.variables();
  }
  conf.world->http = http;
  return *conf.world;
}

const std::span<const Directive> Lua::directives = all_rows();

void Lua::check(Conf& conf, Settings& settings, Binder&) {
  prepare_counts();
  const auto* outer = settings.outer ? static_cast<const Conf*>(settings.outer->get(module_number<Lua>)) : nullptr;
  // Anywhere: a failed script ends the request wherever that has gone.
  const Settings* root = &settings;
  while (root->outer) root = root->outer;
  const auto* main = static_cast<const Conf*>(root->get(module_number<Lua>));
  if (main && main->world) conf.sets = main->world->sets;
  const bool own = conf.trusted_certificate.is_set() || conf.crl.is_set() || conf.verify_depth.is_set() || conf.protocols.is_set() ||
                   conf.ciphers.is_set();
  if (outer && outer->tls && !own) conf.tls = outer->tls;
  else conf.tls = tls_context(conf);
}

}  // namespace seawall::lua
