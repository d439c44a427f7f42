#include "seawall/server/server_blocks.h"

#include <algorithm>

#include "seawall/server/core_module.h"

namespace seawall {
namespace {

// A block without settings of its own gets the outer block's, as if it had inherited each.
template <class M>
typename M::Conf& own(Binder& binder, Settings& settings) {
  const int module = module_number<M>;
  if (settings.owns(module)) return *static_cast<typename M::Conf*>(binder.own(settings, module));
  const auto& outer = *static_cast<const typename M::Conf*>(settings.get(module));
  auto& conf = *static_cast<typename M::Conf*>(binder.own(settings, module));
  conf = outer;
  return conf;
}

}  // namespace

ServerBlock::ServerBlock(Settings& settings) : settings(settings) {
  const int module = module_number<BlocksModule>;
  if (settings.owns(module)) {
    const auto& blocks = *static_cast<const CoreBlocks*>(settings.get(module));
    listens = blocks.listens;
    names = blocks.names;
  }
  if (listens.empty()) listens.push_back(default_listen());
}

bool ServerBlock::has_tls() const {
  return std::any_of(listens.begin(), listens.end(), [](const Listen& listen) { return listen.options.ssl; });
}

std::vector<ServerBlock> server_blocks(Settings& settings) {
  std::vector<ServerBlock> all;
  if (settings.where == kServer) all.emplace_back(settings);
  if (settings.where != kHttp || !settings.owns(module_number<BlocksModule>)) return all;
  for (Settings* server : static_cast<const CoreBlocks*>(settings.get(module_number<BlocksModule>))->servers) all.emplace_back(*server);
  return all;
}

const TlsConf& tls_conf_of(const Settings& settings) {
  return *static_cast<const TlsConf*>(settings.get(module_number<TlsModule>));
}

TlsConf& own_tls_conf(Binder& binder, Settings& settings) { return own<TlsModule>(binder, settings); }

void bound_plain_clients(Binder& binder, Settings& settings, milliseconds at_most) {
  own<CoreModule>(binder, settings).plain_patience = at_most;
  for (Settings* inner : settings.inner())
    if (inner->owns(module_number<CoreModule>)) bound_plain_clients(binder, *inner, at_most);
}

}  // namespace seawall
