// The auth_basic module: a user and a password, asked of the client and looked up in a file. Settings are read by every loop.
#include "known_good.h"
#include "password.h"
#include "seawall/http/basic_credentials.h"
#include "seawall/module/module.h"
#include "seawall/net/offload.h"
#include "user_file.h"

namespace seawall::auth_basic {

// A path, relative to the configuration's folder also where variables make it so.
class UserFilePath {
 public:
  UserFilePath() = default;
  explicit UserFilePath(const Invocation& in) : path_(in.compile(in.arg(0))), folder_(in.conf_prefixed("")) {}
  std::string eval(Exchange& x) const {
    const std::string path = path_.eval(x);
    return path.starts_with('/') ? path : folder_ + path;
  }

 private:
  Template path_;
  std::string folder_;
};

class Conf {
 public:
  Setting<Template> realm;
  Setting<UserFilePath> user_file;
};

// Of one loop.
class State {
 public:
  State(Loop&, const Conf&) {}
  UserFiles files;
  KnownGood known_good;
  ThreadPool hashes{2, 256};  // threads; requests that wait for one
};

class AuthBasic {
 public:
  using Conf = auth_basic::Conf;
  using LoopState = State;
  static constexpr const char* name = "auth_basic";
  static constexpr const char* summary = "who may ask, by user and password";
  static const std::span<const Directive> directives;
  static const std::span<const Step> steps;
  static void check(Conf& conf, Settings& settings, Binder& binder);
};

namespace {

bool is_off(const Template& realm) { return realm.is_literal() && realm.source() == "off"; }

bool is_asked(const Conf& conf) {
  return !conf.realm.is_default() && !is_off(*conf.realm) && !conf.user_file.is_default();
}

// 401. A realm may come from variables: it must not end its field.
Response challenge(std::string realm) {
  for (char& c : realm)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  Response response(401);
  response.headers.set("WWW-Authenticate", "Basic realm=\"" + realm + "\"");
  return response;
}

// nginx's answers: a file that is not there forbids, others cannot be served.
Response refuse(const Exchange& x, const std::string& path, const char* failed, const std::error_code& error) {
  const bool missing = error == std::errc::no_such_file_or_directory;
  x.log(missing ? Level::error : Level::crit, std::string(failed) + " \"" + path + "\" failed " + describe(error));
  return Response(missing ? 403 : 500);
}

// Slow hashes are computed beside the loop. An error: exhausted, or the request has ended.
Task<Result<Match>> match(Exchange& x, std::string password, std::string stored) {
  if (is_quick(stored)) co_return match_password(password, stored);
  State& state = loop_state<AuthBasic>(x.loop);
  const KnownGood::Digest digest = state.known_good.digest_of(password, stored);
  if (state.known_good.has(digest)) co_return Match::yes;
  auto work = [password = std::move(password), stored = std::move(stored)] { return match_password(password, stored); };
  Result<Match> result = co_await offload(state.hashes, std::move(work), x.last_deadline(Wait::handler));
  if (result && *result == Match::yes) state.known_good.add(digest);
  co_return result;
}

Response answer_failure(Exchange& x, const std::error_code& error) {
  if (error != Errc::exhausted) return Response(500);  // the request has ended
  x.log(Level::error, "too many passwords wait to be checked");
  return Response(503);
}

Task<Outcome> authenticate(Exchange& x, const Conf& conf) {
  std::string realm = conf.realm->eval(x);
  if (realm == "off") co_return Next{};
  const std::optional<BasicCredentials> who = basic_credentials(x.request.headers);
  if (!who) {
    x.log(Level::info, "no user/password was provided for basic authentication");
    co_return challenge(std::move(realm));
  }
  const std::string path = conf.user_file->eval(x);
  const char* failed = "";
  const auto file = loop_state<AuthBasic>(x.loop).files.get(path, failed);
  if (!file) co_return refuse(x, path, failed, file.error());
  const std::string_view* stored = (*file)->find(who->user);
  if (!stored) {
    x.log(Level::error, "user \"" + who->user + "\" was not found in \"" + path + "\"");
    co_return challenge(std::move(realm));
  }
  const Result<Match> result = co_await match(x, who->password, std::string(*stored));
  if (!result) co_return answer_failure(x, result.error());
  if (*result == Match::yes) co_return Granted{};
  if (*result == Match::failed) {
    x.log(Level::crit, "crypt_rn() failed");
    co_return Response(500);
  }
  x.log(Level::error, "user \"" + who->user + "\": password mismatch");
  co_return challenge(std::move(realm));
}

UserFilePath parse_path(const Invocation& in) { return UserFilePath(in); }

constexpr unsigned kPlaces = kAllHttp | kLimitExcept;

const Directive rows[] = {
    directive<Conf, Template>("auth_basic", kPlaces, 1, 1, "realm | off", &Conf::realm, parse_template,
                              "Asks for a user and a password under this name.", "off"),
    directive<Conf, UserFilePath>("auth_basic_user_file", kPlaces, 1, 1, "file", &Conf::user_file, parse_path,
                                  "Where the users and their passwords are."),
};

constexpr Step step_rows[] = {step<Conf, is_asked, authenticate>(Phase::access)};

}  // namespace

const std::span<const Directive> AuthBasic::directives = rows;
const std::span<const Step> AuthBasic::steps = step_rows;

// nginx lets everybody in and says nothing.
void AuthBasic::check(Conf& conf, Settings& settings, Binder& binder) {
  if (settings.where != kLocation || !conf.realm.is_set() || is_off(*conf.realm) || !conf.user_file.is_default()) return;
  binder.options().warn("\"auth_basic\" lets everybody in: there is no \"auth_basic_user_file\" in " + conf.realm.place().text());
}

}  // namespace seawall::auth_basic

using seawall::auth_basic::AuthBasic;
SEAWALL_MODULE(AuthBasic)
