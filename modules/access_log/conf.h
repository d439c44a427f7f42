// The settings of the access log. Made at start-up, read by every loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format.h"
#include "open_files.h"
#include "seawall/log/log_file.h"
#include "seawall/log/syslog.h"
#include "seawall/module/module.h"

namespace seawall::access_log {

class AccessLog;

// A path without variables. All logs that name it share it, buffer included: it is the file that has one.
class Destination {
 public:
  std::shared_ptr<LogFile> file;
  std::size_t number = 0;               // of this in LoopState
  std::size_t buffer = 0;               // bytes; 0: each line is written at once
  std::chrono::milliseconds flush{0};   // 0: when the buffer is full
  int gzip = 0;                         // level; 0: plain
};

// One access_log directive: to a file, to files that the request names, or to a syslog server.
class Log {
 public:
  std::shared_ptr<const Format> format;
  std::shared_ptr<Destination> file;
  std::shared_ptr<Syslog> syslog;
  Template path;             // absolute, or behind `prefix`; empty: it has no variables
  std::string prefix;
  Template condition;        // of if=
  bool conditional = false;  // `if=` with nothing behind it never holds

  // Whether this request is to be logged here.
  bool applies(Exchange& x) const;
  // The path for this request; false: what the client brought would lead elsewhere, and the error log says so.
  bool path_for(Exchange& x, std::string& out) const;
};

// What one block says: nothing, or one or several logs.
class Logs {
 public:
  bool off = false;
  std::vector<Log> all;
};

class Conf {
 public:
  Setting<Logs> logs;
  Setting<std::shared_ptr<const CacheRule>> cache{std::make_shared<const CacheRule>()};

  // In the main block's alone.
  std::vector<std::pair<std::string, std::shared_ptr<const Format>>> formats;
  std::map<std::string, std::shared_ptr<Destination>> files;  // by path
};

// access_log off | PATH | syslog:... [FORMAT [buffer=SIZE] [gzip[=LEVEL]] [flush=TIME] [if=CONDITION]]; ConfigError in
// nginx's wording.
void add_log(Conf& conf, const Invocation& in);
// log_format NAME [escape=WORD] TEXT ...; ConfigError in nginx's wording.
void add_format(Conf& conf, const Invocation& in);

// nginx's rule: where neither a block nor one around it says anything, logs/access.log has a line for each request. To be
// called for the main block, when everything is bound. Such a log that cannot be opened is warned about and left out.
void add_default_log(Settings& main, Binder& binder);

}  // namespace seawall::access_log
