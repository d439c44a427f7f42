#include "seawall/process/start.h"

#include <iostream>

#include "seawall/process/daemon.h"
#include "seawall/process/say.h"
#include "seawall/process/signals.h"
#include "seawall/process/supervisor.h"
#include "seawall/process/worker.h"
#include "seawall/server/server_name.h"

namespace seawall {
namespace {

// Until the configuration says where: -e, else the built-in place, else standard error.
void open_first_log(const Options& options) {
  LogTarget target;
  target.level = Level::notice;
  const std::string path = options.error_log.empty() ? options.prefix + "logs/error.log" : options.error_log;
  try {
    target.sink = file_sink(path);
    set_main_log({target});
  } catch (const std::exception& error) {
    std::cerr << "nginx: [alert] could not open error log file: " << error.what() << "\n";
  }
}

int start(const Options& options, Starting& starting) {
  auto conf = Configuration::load(options, [](const std::string& text) { say(Level::warn, text); });
  if (!conf->error_log().empty()) set_main_log(conf->error_log());
  const bool supervised = *conf->main().master_process;
  auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), nullptr);
  if (*conf->main().daemon) starting.go_to_background();
  const PidFile pid(conf->pid_file());
  starting.done(options.error_log);
  stop_saying();
  log(Level::notice, "seawall/" + std::string(kVersion) + " started");
  if (supervised) return supervise(options, std::move(conf), std::move(listening));
  const int code = run_worker(*conf, *listening, false);
  listening->remove_paths();
  return code;
}

}  // namespace

int run(const Options& options) {
  block_signals();
  open_first_log(options);
  Starting starting;
  try {
    return start(options, starting);
  } catch (const std::exception& error) {
    say(Level::emerg, error.what());
    return 1;
  }
}

}  // namespace seawall
