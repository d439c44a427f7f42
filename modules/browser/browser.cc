// The browser module: variables that tell old browsers from new ones by their User-Agent. Settings are read by every loop.
#include <algorithm>
#include <array>

#include "seawall/base/text.h"
#include "seawall/module/module.h"

namespace seawall::browser {

// How a browser tells its version.
class Kind {
 public:
  const char* word;          // in the directive
  std::size_t skip;          // of the User-Agent, in front of which its mark does not stand
  std::string_view mark;     // the version follows, one character behind "Opera" ("Opera/9", "Opera 9")
  std::size_t add;
};
// Opera first: it may call itself MSIE or Gecko, too.
constexpr std::array<Kind, 5> kinds{{{"opera", 0, "Opera", 6},
                                     {"msie", 25, "MSIE ", 5},
                                     {"gecko", 13, "rv:", 3},
                                     {"safari", 13, "Safari/", 7},
                                     {"konqueror", 25, "Konqueror/", 10}}};

class Modern {
 public:
  std::size_t kind;
  std::uint64_t version;  // major * 1,000,000 + minor * 10,000 ...
};

class Conf {
 public:
  Setting<std::vector<Modern>> modern;
  Setting<bool> unlisted{false};
  Setting<std::vector<std::string>> ancient;
  Setting<bool> netscape4{false};
  Setting<std::string> modern_value{std::string("1")}, ancient_value{std::string("1")};
};

namespace {

// Reads numbers with dots between them; up to where `text` is none.
std::uint64_t version_in(std::string_view& text) {
  std::uint64_t version = 0, number = 0, scale = 1'000'000;
  for (; !text.empty() && (is_digit(text[0]) || text[0] == '.'); text.remove_prefix(1)) {
    if (text[0] != '.') {
      number = std::min<std::uint64_t>(number * 10 + static_cast<std::uint64_t>(text[0] - '0'), 1'000'000);
      continue;
    }
    version += number * scale;
    number = 0;
    scale /= 100;
  }
  return version + number * scale;
}

void add_modern(Conf& conf, const Invocation& in) {
  if (in.args().size() == 1) {
    if (in.arg(0) != "unlisted") throw_invalid_value(in.arg(0), "modern_browser");
    return conf.unlisted.set(true, in.node.place);
  }
  const auto* kind = std::find_if(kinds.begin(), kinds.end(), [&](auto& k) { return equals_ignoring_case(k.word, in.arg(0)); });
  if (kind == kinds.end()) throw ConfigError("unknown browser name \"" + in.arg(0) + "\"");
  std::string_view rest = in.arg(1);
  Modern modern{};
  modern.kind = static_cast<std::size_t>(kind - kinds.begin());
  modern.version = version_in(rest);
  if (!rest.empty()) throw ConfigError("invalid browser version \"" + in.arg(1) + "\"");
  conf.modern.edit().push_back(modern);
  conf.modern.mark_set(in.node.place);
}

void inherit_modern(Conf& conf, const Conf& outer) {
  if (conf.modern.is_set() || conf.unlisted.is_set()) return;
  conf.modern.inherit(outer.modern);
  conf.unlisted.inherit(outer.unlisted);
}

void add_ancient(Conf& conf, const Invocation& in) {
  for (const std::string& word : in.args()) {
    if (word == "netscape4") {
      conf.netscape4.set(true, in.node.place);
      continue;
    }
    conf.ancient.edit().push_back(word);
    conf.ancient.mark_set(in.node.place);
  }
}

void inherit_ancient(Conf& conf, const Conf& outer) {
  if (conf.ancient.is_set() || conf.netscape4.is_set()) return;
  conf.ancient.inherit(outer.ancient);
  conf.netscape4.inherit(outer.netscape4);
}

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// The version that the User-Agent tells as this kind of browser; nothing: it is not one.
std::optional<std::uint64_t> version_of(const Kind& kind, std::string_view agent) {
  if (agent.size() <= kind.skip) return std::nullopt;
  const auto at = agent.find(kind.mark, kind.skip);
  if (at == std::string_view::npos || at + kind.add >= agent.size()) return std::nullopt;
  agent.remove_prefix(at + kind.add);
  return version_in(agent);
}

// By the kinds that modern_browser names, in the order of `kinds`; nothing: it is none of them.
std::optional<bool> is_listed_modern(const std::vector<Modern>& modern, std::string_view agent) {
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const auto found = std::find_if(modern.begin(), modern.end(), [&](auto& m) { return m.kind == kind; });
    // An Opera that calls itself MSIE is no MSIE, also where no Opera is named.
    if (found == modern.end() && kind != 0) continue;
    if (const auto version = version_of(kinds[kind], agent)) return found != modern.end() && *version >= found->version;
  }
  return std::nullopt;
}

bool is_netscape4(std::string_view agent) {
  return agent.size() > 13 && agent.starts_with("Mozilla/") && agent[8] > '0' && agent[8] < '5';
}

bool is_modern(const Exchange& x, const Conf& conf) {
  const Field* field = x.request.headers.find(FieldId::user_agent);
  if (!field) return *conf.unlisted;
  const std::string_view agent = field->value;
  if (!conf.modern->empty()) {
    if (const auto listed = is_listed_modern(*conf.modern, agent)) return *listed;
    if (!*conf.unlisted) return false;
  }
  if (*conf.netscape4 && is_netscape4(agent)) return false;
  if (std::any_of(conf.ancient->begin(), conf.ancient->end(), [&](auto& word) { return has(agent, word); })) return false;
  return *conf.unlisted;
}

bool modern_browser(Exchange& x, std::string_view, const void*, std::string& out);
bool ancient_browser(Exchange& x, std::string_view, const void*, std::string& out);

bool msie(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::string_view agent = x.request.headers.get(FieldId::user_agent);
  const auto at = agent.find("MSIE ");
  if (at != std::string_view::npos && at + 7 < agent.size() && !has(agent, "Opera")) out += '1';
  return true;
}

}  // namespace

class Browser {
 public:
  using Conf = browser::Conf;
  static constexpr const char* name = "browser";
  static constexpr const char* summary = "old browsers and new ones";
  static inline const Directive directives[] = {
      custom<Conf>("modern_browser", kAllHttp, 1, 2, "browser version | unlisted", add_modern,
                   "Which browser is modern from which version on; unlisted: whatever is not named here.", inherit_modern),
      custom<Conf>("ancient_browser", kAllHttp, 1, kMany, "string ... | netscape4", add_ancient,
                   "What makes a User-Agent that of an ancient browser.", inherit_ancient),
      text<Conf>("modern_browser_value", kAllHttp, &Conf::modern_value, "The value of $modern_browser for modern browsers."),
      text<Conf>("ancient_browser_value", kAllHttp, &Conf::ancient_value, "The value of $ancient_browser for ancient ones."),
  };
  static constexpr VariableRow variables[] = {
      {.name = "ancient_browser", .get = ancient_browser, .changeable = true},
      {.name = "modern_browser", .get = modern_browser, .changeable = true},
      {.name = "msie", .get = msie, .changeable = true},
  };
};

namespace {

bool modern_browser(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<Browser>();
  if (is_modern(x, conf)) out += *conf.modern_value;
  return true;
}

bool ancient_browser(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<Browser>();
  if (!is_modern(x, conf)) out += *conf.ancient_value;
  return true;
}

}  // namespace

}  // namespace seawall::browser

using seawall::browser::Browser;
SEAWALL_MODULE(Browser)
