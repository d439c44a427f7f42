#include "seawall/process/start.h"

#include <sys/stat.h>

#include "seawall/process/daemon.h"
#include "seawall/process/first_log.h"
#include "seawall/process/inherited.h"
#include "seawall/process/say.h"
#include "seawall/process/signals.h"
#include "seawall/process/supervisor.h"
#include "seawall/process/worker.h"
#include "seawall/server/loop_counts.h"
#include "seawall/server/server_name.h"
#include "seawall/tls/hardware.h"
#include "seawall/tls/openssl_memory.h"
#include "seawall/upstream/upstream_counts.h"

namespace seawall {
namespace {

// Where standard error goes: in the background it is nobody's, in the foreground it stays unless -e says where. "": it stays.
std::string standard_error(const Options& options, bool daemon) {
  const bool is_wanted = options.error_log == "stderr";
  const bool stays = !daemon && (is_wanted || options.error_log.empty());
  if (stays || logs_to_stderr()) return "";
  return is_wanted ? "/dev/null" : first_log_path(options);
}

int start(const Options& options, Starting& starting) {
  auto zones = inherited_zones();
  auto conf = Configuration::load(options, [](const std::string& text) { say(Level::warn, text); });
  zones.clear();  // the configuration has taken those that it names
  conf->adopt();
  set_main_log(conf->error_log(options));
  const bool supervised = *conf->main().master_process;
  prepare_counts();
  prepare_upstream_counts();
  const Inherited inherited;
  auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), inherited.sockets.get());
  inherited.sockets->close_unused(*listening);
  // A new binary is in the background, or is not, as the one that it replaces.
  const bool daemon = *conf->main().daemon && !inherited.replaces;
  if (daemon) starting.go_to_background();
  PidFile pid(conf->pid_file());
  starting.done(standard_error(options, daemon));
  stop_saying();
  log(Level::notice, "seawall/" + std::string(kVersion) + " started");
  if (!conf->http().tls_contexts().empty() && aes_hardware().empty())
    log(Level::warn, "this machine has no AES in hardware: it is slow, and its time may depend on the key");
  if (supervised) return supervise(options, std::move(conf), std::move(listening), pid, daemon || inherited.replaces);
  const int code = run_worker(*conf, *listening, 0, false, Fd(), [](const std::string&) {});
  listening->remove_paths();
  return code;
}

}  // namespace

int run(const Options& options) {
  watch_openssl_memory();
  block_signals();
  ::umask(022);  // files have the modes that we write, whoever starts us
  set_main_log({LogTarget{first_log(options), Level::notice}});
  Starting starting;
  try {
    return start(options, starting);
  } catch (const std::exception& error) {
    say(Level::emerg, error.what());
    return 1;
  }
}

}  // namespace seawall
