#include "conf.h"

#include "seawall/config/placed.h"

namespace seawall::acme {

void apply_automatic(Conf& conf, const Invocation& in) {
  if (conf.automatic.is_set()) throw_duplicate("acme");
  registry_of(conf, in);
  Automatic automatic;
  automatic.on = in.arg(0) != "off";
  if (in.arg(0) != "on" && in.arg(0) != "off") automatic.issuer = in.arg(0);
  if (in.args().size() > 1) automatic.email = in.arg(1);
  if (!automatic.email.empty() && (!automatic.on || automatic.email.find('@') == std::string::npos))
    throw ConfigError("invalid parameter \"" + automatic.email + "\"");
  conf.automatic.set(std::move(automatic), in.node.place);
}

void apply_wanted(Conf& conf, const Invocation& in) {
  if (conf.wanted.is_set()) throw_duplicate("acme_certificate");
  registry_of(conf, in);
  Wanted wanted;
  wanted.issuer = in.arg(0);
  for (std::size_t i = 1; i < in.args().size(); ++i) {
    const std::string& word = in.arg(i);
    try {
      if (word.starts_with("key="))
        wanted.key_type = KeyType::parse(std::string_view(word).substr(4));
      else
        wanted.names.push_back(word);
    } catch (const AcmeError& error) {
      throw ConfigError(error.what());
    }
  }
  conf.wanted.set(std::move(wanted), in.node.place);
}

void inherit_registry(Conf& conf, const Conf& outer) {
  conf.automatic.inherit(outer.automatic);
  if (!conf.registry) conf.registry = outer.registry;
}

}  // namespace seawall::acme
