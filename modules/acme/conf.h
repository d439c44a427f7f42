// The directives of ACME as the binder reads them, and what is made of them once all is read. Start-up thread; then read by
// every loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "registry.h"
#include "seawall/config/directive.h"
#include "seawall/server/server_blocks.h"

namespace seawall::acme {

// What a server has until its first certificate.
enum class Pending : std::uint8_t { self_signed, reject };

// acme_certificate ISSUER [name ...] [key=type].
class Wanted {
 public:
  std::string issuer;
  std::vector<std::string> names;  // none: the server's
  KeyType key_type;
};

// acme on | off | ISSUER [email].
class Automatic {
 public:
  bool on = false;
  std::string issuer;  // empty: the only one there is, or the built-in one
  std::string email;
};

class Conf {
 public:
  Setting<Automatic> automatic;
  Setting<Wanted> wanted;
  Setting<Pending> pending{Pending::self_signed};
  std::shared_ptr<Registry> registry;  // the same in all blocks; null: nothing of ACME is written
};

void open_issuer(Conf& conf, const Invocation& in);
void apply_automatic(Conf& conf, const Invocation& in);
void apply_wanted(Conf& conf, const Invocation& in);
void inherit_registry(Conf& conf, const Conf& outer);

// The one of the configuration that is being read; made when it is first asked for, and finished when all has been read.
Registry& registry_of(Conf& conf, const Invocation& in);
// Which certificates its servers need; gives each server its own. `number` is the module's.
void finish(Registry& registry, Settings& http, Binder& binder, int number);

}  // namespace seawall::acme
