#include "seawall/server/http_conf.h"

#include <map>
#include <set>

#include "seawall/config/placed.h"
#include "seawall/server/core_module.h"

namespace seawall {
namespace {

class Maker {
 public:
  Maker(HttpConf& conf, Binder& binder, std::span<const Offer> offers) : conf_(conf), binder_(binder), offers_(offers) {}

  void make(Settings& main) {
    const auto* blocks = conf_of<BlocksModule>(main);
    if (!blocks->http) return;
    compat_nginx_ = *conf_of<MainModule>(main)->compat_nginx;
    for (Settings* server : conf_of<BlocksModule>(*blocks->http)->servers) placed(server->place, [&] { add_server(*server); });
    for (Endpoint& endpoint : conf_.endpoints.all()) name_servers(endpoint);
    for (const Endpoint& endpoint : conf_.endpoints.all())
      if (endpoint.options.ssl) check_certificates(endpoint);
    for (Vhost& vhost : conf_.vhosts)
      if (tls_servers_.contains(&vhost)) placed(vhost.place, [&] { vhost.tls = tls_context(vhost); });
    conf_.sockets = conf_.endpoints.sockets();
  }

 private:
  template <class M>
  static typename M::Conf* conf_of(const Settings& settings) {
    return static_cast<typename M::Conf*>(const_cast<void*>(settings.get(module_number<M>)));
  }

  // The blocks of exactly this level: an empty server has none of its own.
  static CoreBlocks* own_blocks(Settings& settings) {
    return settings.owns(module_number<BlocksModule>) ? conf_of<BlocksModule>(settings) : nullptr;
  }

  void add_server(Settings& settings) {
    Vhost& vhost = conf_.vhosts.emplace_back();
    vhost.settings = &settings;
    vhost.place = settings.place;
    vhost.core = conf_of<CoreModule>(settings);
    vhost.tls_conf = conf_of<TlsModule>(settings);
    vhost.http2 = conf_of<Http2Module>(settings);
    const Setting<bool>& http2 = vhost.http2->on;
    vhost.http2_on_tls = http2.is_default() ? !compat_nginx_ : *http2;
    vhost.http2_on_plain = !http2.is_default() && *http2;
    set_head_limits(vhost);
    CoreBlocks* blocks = own_blocks(settings);
    if (blocks) vhost.names = std::move(blocks->names);
    if (vhost.names.empty()) vhost.names.emplace_back();
    vhost.primary_name = vhost.names.front().primary();
    vhost.locations.root().settings = &settings;
    if (blocks)
      for (auto& location : blocks->locations) vhost.locations.add(vhost.locations.root(), std::move(location));
    finish_location(vhost.locations.root());
    vhost.locations.compile();
    add_listens(vhost, blocks);
  }

  void add_listens(Vhost& vhost, const CoreBlocks* blocks) {
    std::vector<Listen> listens;
    if (blocks) listens = blocks->listens;
    if (listens.empty()) listens.push_back(default_listen());
    for (const Listen& listen : listens)
      conf_.endpoints.add(listen, &vhost, [&](const std::string& text) { binder_.options().warn(text + " in " + vhost.place.text()); });
  }

  // nginx's rule: the default server has a certificate, which serves those that have none of their own; where it refuses
  // handshakes instead, each of the others needs its own.
  static void check_certificates(const Endpoint& endpoint) {
    const auto lacks = [](const Vhost& vhost) {
      return !vhost.tls_conf->has_certificate() && !*vhost.tls_conf->reject_handshake;
    };
    for (const Vhost* vhost : endpoint.servers) {
      const bool alone = vhost == endpoint.default_server || !endpoint.default_server->tls_conf->has_certificate();
      if (alone && lacks(*vhost))
        throw ConfigError("no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive", vhost->place);
    }
  }

  // Servers with the same settings share a context: 10,000 names behind one certificate cost one. Null: the default
  // server's is taken.
  std::shared_ptr<TlsContext> tls_context(const Vhost& vhost) {
    const TlsConf& conf = *vhost.tls_conf;
    check_session_cache(conf);
    if (!conf.has_certificate() && !*conf.reject_handshake) return nullptr;
    auto& context = contexts_[&conf];
    if (!context) context = make_tls_context(conf, binder_.options().warn);
    return context;
  }

  void check_session_cache(const TlsConf& conf) {
    const auto& cache = *conf.session_cache;
    if (cache.shared.empty()) return;
    const auto [known, added] = session_caches_.try_emplace(cache.shared, cache.size);
    if (added || known->second == cache.size) return;
    throw ConfigError("the size " + std::to_string(cache.size) + " of shared memory zone \"" + cache.shared +
                      "\" conflicts with already declared size " + std::to_string(known->second), conf.session_cache.place());
  }

  void set_head_limits(Vhost& vhost) {
    const CoreConf& core = *vhost.core;
    vhost.head_limits.first_buffer = static_cast<std::size_t>(*core.client_header_buffer_size);
    vhost.head_limits.buffers = static_cast<std::size_t>(core.large_client_header_buffers->number);
    vhost.head_limits.buffer_size = static_cast<std::size_t>(core.large_client_header_buffers->size);
    vhost.head_limits.max_headers = static_cast<std::size_t>(*core.max_headers);
    vhost.head_options.ignore_invalid_headers = *core.ignore_invalid_headers;
    vhost.head_options.underscores_in_headers = *core.underscores_in_headers;
    vhost.head_options.merge_slashes = *core.merge_slashes;
  }

  // Settings and plan of a location and all below it. Locations under the same Confs share one plan.
  void finish_location(Location& location) {
    location.core = conf_of<CoreModule>(*location.settings);
    std::vector<const void*> confs;
    for (const Offer& offer : offers_) confs.push_back(location.settings->get(offer.number));
    auto& plan = plans_[confs];
    if (!plan) plan = std::make_shared<const Plan>(make_plan(offers_, *location.settings));
    location.plan = plan;
    for (auto& nested : location.nested) finish_location(*nested);
  }

  void name_servers(Endpoint& endpoint) {
    std::vector<ServerNames::Server> servers;
    for (const Vhost* vhost : endpoint.servers) {
      ServerNames::Server server;
      server.vhost = vhost;
      server.names = vhost->names;
      servers.push_back(server);
      // One server's `ssl` makes the address TLS for all of them.
      if (endpoint.options.ssl) tls_servers_.insert(vhost);
    }
    endpoint.names = ServerNames(endpoint.address.text_with_port(), servers, binder_.options().warn);
  }

  HttpConf& conf_;
  Binder& binder_;
  std::span<const Offer> offers_;
  bool compat_nginx_ = false;
  std::set<const Vhost*> tls_servers_;
  std::map<std::string, std::int64_t> session_caches_;  // sizes by name
  std::map<const TlsConf*, std::shared_ptr<TlsContext>> contexts_;
  std::map<std::vector<const void*>, std::shared_ptr<const Plan>> plans_;
};

}  // namespace

std::vector<std::shared_ptr<TlsContext>> HttpConf::tls_contexts() const {
  std::vector<std::shared_ptr<TlsContext>> contexts;
  std::set<const TlsContext*> known;
  for (const Vhost& vhost : vhosts)
    if (vhost.tls && known.insert(vhost.tls.get()).second) contexts.push_back(vhost.tls);
  return contexts;
}

std::unique_ptr<HttpConf> HttpConf::make(Settings& main, Binder& binder, std::span<const Offer> offers) {
  auto conf = std::make_unique<HttpConf>();
  Maker(*conf, binder, offers).make(main);
  return conf;
}

}  // namespace seawall
