// The access_log module: a line for each request, written when its response is out. Any loop.

#include <cerrno>
#include <unordered_map>

#include "buffer.h"
#include "conf.h"
#include "seawall/base/error.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"

namespace seawall::access_log {

class AccessLog {
 public:
  using Conf = access_log::Conf;
  class LoopState;
  static constexpr const char* name = "access_log";
  static constexpr const char* summary = "a line for each request";
  static constexpr const char* loaded_by[] = {"http"};  // unless it is off, there is always a log
  static const Directive directives[3];

  static void check(Conf&, Settings& settings, Binder& binder) {
    if (!settings.outer) add_default_log(settings, binder);
  }
  static void log(Exchange& x, const Conf& conf);
};

// What one loop keeps: the lines it holds back and the files it keeps open.
class AccessLog::LoopState {
 public:
  LoopState(Loop&, const Conf& main) {
    buffers.resize(main.files.size());
    for (const auto& [path, to] : main.files)
      if (to->buffer > 0) buffers[to->number] = std::make_unique<Buffer>(to);
  }
  OpenFiles& open_files(const CacheRule& rule) { return open_files_.try_emplace(&rule, rule).first->second; }

  std::vector<std::unique_ptr<Buffer>> buffers;  // by number; null: unbuffered

 private:
  std::unordered_map<const CacheRule*, OpenFiles> open_files_;
};

namespace {

// nginx's rule for paths out of requests: no log is created for a host that has no root.
bool has_root(Exchange& x) {
  std::string root;
  if (root_path_of(x, root) != 0) return false;
  const Ref<File> found = test_file(x, root);
  if (found->is_directory()) return true;
  const int error = found->error() ? found->error() : ENOTDIR;
  x.log(Level::error, "testing \"" + root + "\" existence failed " + describe(system_error_code(error)));
  return false;
}

void write_to_path(Exchange& x, const Log& log, const CacheRule& rule, std::string_view line) {
  std::string path;
  if (has_root(x) && log.path_for(x, path)) loop_state<AccessLog>(x.loop).open_files(rule).write(x, path, line);
}

void send(Exchange& x, Syslog& syslog, std::string_view line) {
  const Result<void> sent = syslog.send(syslog.severity(), line);
  if (!sent) x.log(Level::warn, "send() to syslog failed " + describe(sent.error()));
}

void write(Exchange& x, const Conf& conf, const Log& log, std::string& line) {
  if (log.syslog) return send(x, *log.syslog, line);
  line += '\n';
  if (!log.file) return write_to_path(x, log, **conf.cache, line);
  if (Buffer* buffer = loop_state<AccessLog>(x.loop).buffers[log.file->number].get()) buffer->append(line);
  else log.file->file->write(line);
}

void inherit_logs(Conf& conf, const Conf& outer) { conf.logs.inherit(outer.logs); }

// A row of its own kind: its value has no text for the table.
void apply_cache(Conf& conf, const Invocation& in) {
  if (conf.cache.is_set()) throw_duplicate("open_log_file_cache");
  conf.cache.set(std::make_shared<const CacheRule>(in), in.node.place);
}
void inherit_cache(Conf& conf, const Conf& outer) { conf.cache.inherit(outer.cache); }

constexpr unsigned kEverywhere = kAllHttp | kLocationIf | kLimitExcept;

}  // namespace

void AccessLog::log(Exchange& x, const Conf& conf) {
  if (conf.logs->off) return;
  thread_local std::string line;
  for (const Log& log : conf.logs->all) {
    if (!log.applies(x)) continue;
    line.clear();
    log.format->append(x, line);
    write(x, conf, log, line);
  }
}

const Directive AccessLog::directives[] = {
    custom<Conf>("log_format", kHttp, 2, kMany, "name [escape=default|json|none] string ...", add_format,
                 "What a line of an access log is made of; combined is there already."),
    custom<Conf>("access_log", kEverywhere, 1, kMany,
                 "off | path | syslog:... [format [buffer=size] [gzip[=level]] [flush=time] [if=condition]]", add_log,
                 "What gets a line for each request; several of a block all do.", inherit_logs, "logs/access.log combined"),
    custom<Conf>("open_log_file_cache", kAllHttp, 1, 4, "off | max=n [inactive=time] [min_uses=n] [valid=time]", apply_cache,
                 "Keeps open the files of logs that have variables in their paths.", inherit_cache, "off"),
};

}  // namespace seawall::access_log

using seawall::access_log::AccessLog;
SEAWALL_MODULE(AccessLog)
