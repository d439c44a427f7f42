#include "seawall/config/zones.h"

#include <system_error>

#include "seawall/config/binder.h"
#include "seawall/config/placed.h"
#include "seawall/log/log.h"

namespace seawall {

Zone::Lock::Lock(const Zone& zone) : lock_(zone.memory()) {
  if (lock_.emptied())
    log(Level::alert, "the shared memory zone \"" + zone.name + "\" is emptied: a process died while it changed it");
}

Zone& ZoneTable::get(const std::string& name, std::size_t size, const std::string& use, const Place& place) {
  for (Zone& zone : zones_) {
    if (zone.name != name) continue;
    if (zone.use != use) throw ConfigError("the shared memory zone \"" + name + "\" is already declared for a different use");
    if (zone.size == 0) zone.size = size;
    if (size != 0 && size != zone.size)
      throw ConfigError("the size " + std::to_string(size) + " of shared memory zone \"" + name +
                        "\" conflicts with already declared size " + std::to_string(zone.size));
    return zone;
  }
  Zone& zone = zones_.emplace_back();
  zone.name = name;
  zone.size = size;
  zone.use = use;
  zone.place = place;
  return zone;
}

Zone& ZoneTable::declare(const Invocation& in, const std::string& parameter, const std::string& use) {
  const std::string value = parameter.substr(parameter.find('=') + 1);
  const auto colon = value.find(':');
  const auto size = colon == std::string::npos ? std::nullopt : size_of(std::string_view(value).substr(colon + 1));
  if (!size) throw ConfigError("invalid zone size \"" + parameter + "\"");
  const auto bytes = static_cast<std::size_t>(*size);
  if (bytes < SharedZone::kSmallest) throw ConfigError("zone \"" + parameter + "\" is too small");
  if (bytes > SharedZone::kLargest) throw ConfigError("zone \"" + parameter + "\" is too large");
  if (colon == 0) throw ConfigError("\"" + in.node.name + "\" must have \"zone\" parameter");
  return get(value.substr(0, colon), bytes, use, in.node.place);
}

void ZoneTable::open() {
  for (Zone& zone : zones_) {
    placed(zone.place, [&] {
      if (zone.size == 0) throw ConfigError("zero size shared memory zone \"" + zone.name + "\"");
      try {
        zone.memory_ = SharedZone::open(zone.name, zone.size, zone.use);
      } catch (const std::bad_alloc&) {
        throw ConfigError("mmap(MAP_SHARED, " + std::to_string(zone.size) + ") failed for the zone \"" + zone.name + "\"");
      } catch (const std::system_error& error) {
        throw ConfigError(error.what());
      }
      if (zone.opened) zone.opened(zone);
    });
  }
}

}  // namespace seawall
