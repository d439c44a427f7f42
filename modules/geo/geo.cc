// The geo module: variables whose values follow from addresses.
#include <algorithm>

#include "geo_table.h"
#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/module/module.h"
#include "seawall/server/forwarded_address.h"
#include "seawall/server/written_variables.h"

namespace seawall::geo {
namespace {

// One geo block, once it has been read.
class Geo {
 public:
  std::string name;                // of the variable
  std::optional<Template> source;  // of another address than the client's
  Table v4, v6;
  std::string otherwise;
  std::vector<Span> proxies;
  bool recursive = false, is_volatile = false;
};

class Conf {
 public:
  std::vector<std::unique_ptr<Geo>> geos;
};

class GeoModule {
 public:
  using Conf = geo::Conf;
  static constexpr const char* name = "geo";
  static constexpr const char* summary = "variables whose values follow from addresses";
  static const std::span<const Directive> directives;
  // Values point into the Geo.
  class State {
   public:
    std::vector<std::pair<const Geo*, const std::string*>> values;
  };
};

bool is_proxy(const Geo& geo, const Address& address) {
  const Span span = span_of(address);
  return std::any_of(geo.proxies.begin(), geo.proxies.end(), [&](const Span& proxy) {
    return proxy.family == span.family && proxy.first <= span.first && span.first <= proxy.last;
  });
}

// Empty when the source is no address.
Address address_of(Exchange& x, const Geo& geo) {
  Address address = x.connection.remote;
  if (geo.source) address = Address::parse_ip(geo.source->eval(x)).value_or(Address());
  if (geo.proxies.empty() || address.empty()) return address;
  std::vector<std::string_view> values;
  for (const Field& field : x.request.headers.all())
    if (field.id == FieldId::x_forwarded_for) values.push_back(field.value);
  return forwarded_address(address, values, [&](const Address& a) { return is_proxy(geo, a); }, geo.recursive).value_or(address);
}

const std::string* find(Exchange& x, const Geo& geo) {
  const Span span = span_of(address_of(x, geo));
  const std::string* value = (span.family == AF_INET ? geo.v4 : geo.v6).find(span.first);
  return value ? value : &geo.otherwise;
}

bool get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const Geo& geo = *static_cast<const Geo*>(data);
  if (const std::string* written = find_written(x, geo.name)) return out += *written, true;
  auto& known = x.state<GeoModule>().values;
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& pair) { return pair.first == &geo; });
  const std::string* value = found != known.end() ? found->second : find(x, geo);
  if (found == known.end() && !geo.is_volatile) known.emplace_back(&geo, value);
  out += *value;
  return true;
}

// Reads the rows of a block.
class Rows {
 public:
  Rows(Geo& geo, const Invocation& in) : geo_(geo), in_(in) {}

  void read() {
    for (const Node& row : in_.node.children) placed(row.place, [&] { add(row); });
    geo_.v4 = ranges_ ? Table(v4_ranges_) : Table(v4_);
    geo_.v6 = Table(v6_);
  }

 private:
  void add(const Node& row) {
    if (row.args.empty() && set_option(row.name)) return;
    if (row.is_block || row.args.size() != 1) throw ConfigError("invalid number of the geo parameters");
    const std::string& value = row.args[0];
    any_ = true;
    if (row.name == "default") set_default(value, row);
    else if (row.name == "proxy") geo_.proxies.push_back(network(value, row));
    else if (row.name == "delete") remove(value, row);
    else if (ranges_) say_replaced("range", row, v4_ranges_.add(range(row.name), value, row.name));
    else add_network(row);
  }

  bool set_option(const std::string& word) {
    if (word == "ranges") {
      if (any_) throw ConfigError("the \"ranges\" directive must be the first directive inside \"geo\" block");
      ranges_ = true;
    } else if (word == "proxy_recursive") {
      geo_.recursive = true;
    } else if (word == "volatile") {
      geo_.is_volatile = true;
    } else {
      return false;
    }
    return true;
  }

  void set_default(const std::string& value, const Node& row) {
    if (has_default_)
      warn(row, std::string("duplicate default geo ") + (ranges_ ? "range " : "") + "value: \"" + value + "\", old value: \"" + geo_.otherwise + "\"");
    has_default_ = true;
    geo_.otherwise = value;
  }

  void add_network(const Node& row) {
    const Span span = network(row.name, row);
    say_replaced("network", row, (span.family == AF_INET ? v4_ : v6_).add(span, row.args[0]));
  }

  void remove(const std::string& text, const Node& row) {
    bool removed;
    if (ranges_) {
      removed = v4_ranges_.remove(range(text));
    } else {
      const Span span = network(text, row);
      removed = (span.family == AF_INET ? v4_ : v6_).remove(span);
    }
    if (!removed) warn(row, std::string("no ") + (ranges_ ? "address range" : "network") + " \"" + text + "\" to delete");
  }

  Span network(const std::string& text, const Node& row) {
    bool low_bits = false;
    const auto span = parse_network(text, low_bits);
    if (!span) throw ConfigError("invalid network \"" + text + "\"");
    if (low_bits) warn(row, "low address bits of " + text + " are meaningless");
    return *span;
  }
  static Span range(const std::string& text) {
    const auto span = parse_range(text);
    if (!span) throw ConfigError("invalid range \"" + text + "\"");
    return *span;
  }

  void say_replaced(const char* what, const Node& row, const std::optional<std::string>& old) {
    if (old) warn(row, std::string("duplicate ") + what + " \"" + row.name + "\", value: \"" + row.args[0] + "\", old value: \"" + *old + "\"");
  }
  void warn(const Node& row, const std::string& text) { in_.binder.options().warn(text + " in " + row.place.text()); }

  Geo& geo_;
  const Invocation& in_;
  Networks v4_, v6_;
  Ranges v4_ranges_;
  bool ranges_ = false, any_ = false, has_default_ = false;
};

std::string name_of_variable(const std::string& word) {
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  return word.substr(1);
}

// geo [$address] $variable { ADDRESS VALUE; ... }
void open_geo(Conf& conf, const Invocation& in) {
  auto geo = std::make_unique<Geo>();
  Variable variable;
  variable.name = geo->name = lower(name_of_variable(in.args().back()));
  variable.get = get;
  variable.data = geo.get();
  if (in.args().size() == 2) {
    name_of_variable(in.arg(0));
    geo->source = in.compile(in.arg(0));
  }
  Rows(*geo, in).read();
  in.binder.variables().define_changeable(std::move(variable));
  conf.geos.push_back(std::move(geo));
}

const Directive rows[] = {
    block<Conf>("geo", kHttp, 1, 2, open_geo, "A variable whose value depends on the client's address, or on another one."),
};

}  // namespace

const std::span<const Directive> GeoModule::directives = rows;

}  // namespace seawall::geo

using seawall::geo::GeoModule;
SEAWALL_MODULE(GeoModule)
