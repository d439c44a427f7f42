#include "conf.h"

#include <algorithm>
#include <span>

#include "seawall/base/text.h"
#include "seawall/server/path.h"

namespace seawall::access_log {
namespace {

const std::string kCombined[] = {
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\""};

// What belongs to the configuration as a whole.
Conf& shared(const Invocation& in) {
  Settings* main = &in.settings;
  while (main->outer) main = main->outer;
  return *static_cast<Conf*>(in.binder.own(*main, module_number<AccessLog>));
}

std::shared_ptr<const Format> combined(VariableTable& variables) {
  return std::make_shared<const Format>(kCombined, variables, Place());
}

// Names ignore case when they are used, though not when they are given: nginx's.
std::shared_ptr<const Format> format_of(const Invocation& in, const std::string& name) {
  Conf& all = shared(in);
  for (const auto& [known, format] : all.formats)
    if (equals_ignoring_case(known, name)) return format;
  if (!equals_ignoring_case(name, "combined")) throw ConfigError("unknown log format \"" + name + "\"");
  return all.formats.emplace_back("combined", combined(in.binder.variables())).second;
}

// What the words behind the format ask for.
class Options {
 public:
  std::size_t buffer = 0;
  std::chrono::milliseconds flush{0};
  int gzip = 0;
};

void read_option(Options& options, Log& log, const Invocation& in, const std::string& word) {
  constexpr std::size_t kGzipBuffer = 64 * 1024;
  const std::string value = word.substr(std::min(word.find('='), word.size() - 1) + 1);
  if (word.starts_with("if=")) {
    log.condition = in.compile(value);
    log.conditional = true;
  } else if (word.starts_with("buffer=")) {
    const auto size = size_of(value);
    if (!size || *size <= 0) throw ConfigError("invalid buffer size \"" + value + "\"");
    options.buffer = static_cast<std::size_t>(*size);
  } else if (word.starts_with("flush=")) {
    const auto time = time_of(value);
    if (!time || time->count() <= 0) throw ConfigError("invalid flush time \"" + value + "\"");
    options.flush = *time;
  } else if (word == "gzip" || word.starts_with("gzip=")) {
    const auto level = word == "gzip" ? 1 : parse_decimal(value);
    if (!level || *level < 1 || *level > 9) throw ConfigError("invalid compression level \"" + value + "\"");
    options.gzip = static_cast<int>(*level);
    if (options.buffer == 0) options.buffer = kGzipBuffer;
  } else {
    throw ConfigError("invalid parameter \"" + word + "\"");
  }
}

void check(const Options& options, const Log& log, const std::string& where) {
  if (options.flush.count() > 0 && options.buffer == 0)
    throw ConfigError("no buffer is defined for access_log \"" + where + "\"");
  if (options.buffer == 0) return;
  if (!log.path.empty()) throw ConfigError("buffered logs cannot have variables in name");
  if (log.syslog) throw ConfigError("logs to syslog cannot be buffered");
}

std::shared_ptr<Destination> destination(Conf& all, const std::string& path) {
  if (const auto known = all.files.find(path); known != all.files.end()) return known->second;
  auto to = std::make_shared<Destination>();
  to->file = LogFile::open(path);
  to->number = all.files.size();
  all.files[path] = to;
  return to;
}

void set_buffer(Destination& to, const Options& options, const std::string& where) {
  if (options.buffer == 0) return;
  const bool same = to.buffer == options.buffer && to.flush == options.flush && to.gzip == options.gzip;
  if (to.buffer != 0 && !same) throw ConfigError("access_log \"" + where + "\" already defined with conflicting parameters");
  to.buffer = options.buffer;
  to.flush = options.flush;
  to.gzip = options.gzip;
}

void set_target(Log& log, const Invocation& in) {
  const std::string& where = in.arg(0);
  if (where.starts_with("syslog:")) {
    log.syslog = std::make_shared<Syslog>(std::string_view(where).substr(7));
  } else if (where.find('$') == where.npos) {
    log.file = destination(shared(in), in.prefixed(where));
  } else {
    log.path = in.compile(where);
    if (!where.starts_with('/')) log.prefix = in.prefixed("");
  }
}

// The settings that requests are served with below `settings`, and that say nothing of a log.
void find_silent(Settings& settings, std::vector<Conf*>& found) {
  constexpr unsigned serving = kServer | kLocation | kServerIf | kLocationIf | kLimitExcept;
  if (settings.where & serving) {
    auto* conf = static_cast<Conf*>(const_cast<void*>(settings.get(module_number<AccessLog>)));
    if (conf->logs.is_default()) found.push_back(conf);
  }
  for (Settings* inner : settings.inner()) find_silent(*inner, found);
}

}  // namespace

bool Log::applies(Exchange& x) const {
  if (!conditional) return true;
  const std::string value = condition.eval(x);
  return !value.empty() && value != "0";
}

bool Log::path_for(Exchange& x, std::string& out) const {
  out = prefix;
  path.append(x, out);
  if (stays_below(out, prefix.size() + path.source().find('$'))) return true;
  x.log(Level::error, "access log \"" + out + "\" is refused: it would lead out of its folder");
  return false;
}

void add_format(Conf&, const Invocation& in) {
  const std::string& name = in.arg(0);
  auto& formats = shared(in).formats;
  const bool known = std::any_of(formats.begin(), formats.end(), [&](const auto& format) { return format.first == name; });
  if (known || name == "combined") throw ConfigError("duplicate \"log_format\" name \"" + name + "\"");
  const auto words = std::span(in.args()).subspan(1);
  formats.emplace_back(name, std::make_shared<const Format>(words, in.binder.variables(), in.node.place));
}

void add_log(Conf& conf, const Invocation& in) {
  conf.logs.mark_set(in.node.place);
  Logs& logs = conf.logs.edit();
  if (in.arg(0) == "off") {
    logs.off = true;
    if (in.args().size() > 1) throw ConfigError("invalid parameter \"" + in.arg(1) + "\"");
    return;
  }
  Log log;
  try {
    set_target(log, in);
  } catch (const std::exception& error) {
    throw ConfigError(error.what());
  }
  log.format = format_of(in, in.args().size() > 1 ? in.arg(1) : "combined");
  Options options;
  for (std::size_t i = 2; i < in.args().size(); ++i) read_option(options, log, in, in.arg(i));
  check(options, log, in.arg(0));
  if (log.file) set_buffer(*log.file, options, in.arg(0));
  logs.all.push_back(std::move(log));
}

void add_default_log(Settings& main, Binder& binder) {
  std::vector<Conf*> silent;
  find_silent(main, silent);
  if (silent.empty()) return;
  Logs logs;
  try {
    Log log;
    auto* all = static_cast<Conf*>(binder.own(main, module_number<AccessLog>));
    log.file = destination(*all, binder.options().prefix + "logs/access.log");
    log.format = combined(binder.variables());
    logs.all.push_back(std::move(log));
  } catch (const std::exception& error) {
    binder.options().warn(std::string("no access log is written where none is configured: ") + error.what());
  }
  for (Conf* conf : silent) conf->logs.set(logs, Place());
}

}  // namespace seawall::access_log
