// The userid module: a cookie that tells clients apart. Settings are read by every loop.
#include "cookie.h"
#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/cookie.h"
#include "uid.h"

namespace seawall::userid {

enum class Mode : std::uint8_t { off, log, v1, on };

class Conf {
 public:
  Setting<Mode> mode{Mode::off};
  Setting<std::string> name{std::string("uid")}, domain{std::string("none")}, path{std::string("/")}, p3p{std::string("none")};
  Setting<std::int64_t> service{-1};  // -1: the server's address
  Setting<Expires> expires;
  Setting<Flags> flags;
  Setting<std::string> mark{std::string("off")};
  Setting<Template> reset;            // $uid_reset, which `set` may give a value
};

class LoopState {
 public:
  LoopState(Loop& loop, const Conf&) : maker(loop) {}
  UidMaker maker;
};

class State {
 public:
  bool looked = false, reset = false;
  std::string cookie;
  Uid got, given;
};

class UserId {
 public:
  using Conf = userid::Conf;
  using State = userid::State;
  using LoopState = userid::LoopState;
  static constexpr const char* name = "userid";
  static constexpr const char* summary = "a cookie that tells clients apart";
  static const Directive directives[9];
  static const Filter filters[1];
  static const VariableRow variables[3];
};

namespace {

void set_mode(Conf& conf, const Invocation& in) {
  static constexpr Choice<Mode> modes[] = {{"off", Mode::off}, {"log", Mode::log}, {"v1", Mode::v1}, {"on", Mode::on}};
  if (conf.mode.is_set()) throw_duplicate("userid");
  for (const auto& mode : modes) {
    if (in.arg(0) != mode.word) continue;
    conf.mode.set(mode.value, in.node.place);
    conf.reset.set(in.compile("$uid_reset"), in.node.place);
    return;
  }
  throw_invalid_value(in.arg(0), "userid");
}

// A second one on a level adds to the first, as in nginx.
void set_flags(Conf& conf, const Invocation& in) {
  add_flags(conf.flags.edit(), in);
  conf.flags.mark_set(in.node.place);
}

std::string parse_mark(const Invocation& in) {
  const std::string& word = in.arg(0);
  if (word == "off" || (word.size() == 1 && (is_alpha(word[0]) || is_digit(word[0]) || word[0] == '='))) return word;
  throw ConfigError("\"userid_mark\" directive value must be \"off\" or a single letter, digit or \"=\"");
}

// Reads the client's cookie, once a request.
State& look(Exchange& x, const Conf& conf) {
  State& state = x.state<UserId>();
  if (state.looked) return state;
  state.looked = true;
  state.cookie = find_cookie(x.request.headers, *conf.name).value_or("");
  if (state.cookie.empty()) return state;
  if (state.cookie.size() < 22) {
    x.log(Level::error, "client sent too short userid cookie \"" + *conf.name + "=" + state.cookie + "\"");
  } else if (const auto uid = Uid::decode(state.cookie)) {
    state.got = *uid;
  } else {
    x.log(Level::error, "client sent invalid userid cookie \"" + *conf.name + "=" + state.cookie + "\"");
  }
  return state;
}

bool is_marked(const State& state, const std::string& mark) {
  return mark == "off" || (state.cookie.size() > 23 && state.cookie[22] == mark[0] && state.cookie[23] == '=');
}

// What the client is to be given, if anything: state.given.
void decide(Exchange& x, State& state, const Conf& conf) {
  if (state.given.exists()) return;
  if (state.got.exists()) {
    const std::string reset = conf.reset->eval(x);
    if (reset.empty() || reset == "0") {
      if (!is_marked(state, *conf.mark)) state.given = state.got;
      return;
    }
    state.reset = true;
    if (reset == "log") x.log(Level::notice, "userid cookie \"" + *conf.name + "=" + state.got.hex() + "\" was reset");
  }
  UidMaker& maker = loop_state<UserId>(x.loop).maker;
  const auto service = *conf.service < 0 ? std::nullopt : std::optional(*conf.service);
  state.given = *conf.mode == Mode::v1 ? maker.make_v1(service) : maker.make_v2(x, service);
}

// The cookie's value: a new uid, or the present one with the mark.
std::string value_of(const State& state, const std::string& mark) {
  if (state.got.exists() && !state.reset) return state.cookie.substr(0, 22) + mark + "=";
  std::string value = state.given.encode();
  if (mark != "off") value[value.size() - 2] = mark[0];
  return value;
}

bool gives(const Conf& conf) { return *conf.mode >= Mode::v1; }

Result<void> give(Exchange& x, Response& response, const Conf& conf) {
  State& state = look(x, conf);
  decide(x, state, conf);
  if (!state.given.exists()) return {};
  response.headers.add("Set-Cookie", *conf.name + "=" + value_of(state, *conf.mark) +
                                         attributes(*conf.expires, *conf.domain, *conf.path, *conf.flags));
  if (*conf.p3p != "none") response.headers.add("P3P", *conf.p3p);
  return {};
}

bool uid_got(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<UserId>();
  if (*conf.mode == Mode::off) return false;
  const State& state = look(x, conf);
  if (!state.got.exists()) return false;
  out += *conf.name + "=" + state.got.hex();
  return true;
}

bool uid_set(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<UserId>();
  if (!gives(conf)) return false;
  State& state = look(x, conf);
  decide(x, state, conf);
  if (!state.given.exists()) return false;
  out += *conf.name + "=" + state.given.hex();
  return true;
}

bool uid_reset(Exchange&, std::string_view, const void*, std::string&) { return true; }

}  // namespace

const Directive UserId::directives[] = {
    custom<Conf>("userid", kAllHttp, 1, 1, "on | v1 | log | off", set_mode,
                 "Gives cookies (v1: in the older form), or reads them only.",
                 [](Conf& conf, const Conf& outer) {
                   conf.mode.inherit(outer.mode);
                   conf.reset.inherit(outer.reset);
                 }, "off"),
    number<Conf>("userid_service", kAllHttp, &Conf::service, "The number of the server in the cookies; otherwise its address."),
    text<Conf>("userid_name", kAllHttp, &Conf::name, "The cookie's name."),
    text<Conf>("userid_domain", kAllHttp, &Conf::domain, "The cookie's domain."),
    text<Conf>("userid_path", kAllHttp, &Conf::path, "The cookie's path."),
    directive<Conf, Expires>("userid_expires", kAllHttp, 1, 1, "time | max | off", &Conf::expires, parse_expires,
                             "How long a client keeps the cookie; off: until it is closed.", "off"),
    custom<Conf>("userid_flags", kAllHttp, 1, 3, "off | secure | httponly | samesite=strict | samesite=lax | samesite=none ...",
                 set_flags, "Flags of the cookie.", [](Conf& conf, const Conf& outer) { conf.flags.inherit(outer.flags); }, "off"),
    text<Conf>("userid_p3p", kAllHttp, &Conf::p3p, "A field P3P that goes with the cookie."),
    directive<Conf, std::string>("userid_mark", kAllHttp, 1, 1, "letter | digit | = | off", &Conf::mark, parse_mark,
                                 "A mark in the cookie: one with another mark is given anew with the same number.", "off"),
};
const Filter UserId::filters[] = {filter<Conf, gives, give>(FilterStage::userid)};
const VariableRow UserId::variables[] = {
    {"uid_got", uid_got}, {"uid_set", uid_set}, {.name = "uid_reset", .get = uid_reset, .changeable = true}};

}  // namespace seawall::userid

using seawall::userid::UserId;
SEAWALL_MODULE(UserId)
