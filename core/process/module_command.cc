#include "seawall/process/module_command.h"

#include <iostream>

#include "seawall/process/configuration.h"
#include "seawall/process/privileges.h"
#include "seawall/server/worker_folders.h"

namespace seawall {

bool run_module_command(const std::string& module, const Options& options, const std::vector<std::string>& words) {
  try {
    const auto warn = [](const std::string& text) { std::cerr << "nginx: [warn] " << text << "\n"; };
    const auto conf = Configuration::load(options, warn);
    set_worker_folder_owner(worker_user(conf->main()));
    const Loader::Command command = conf->loader().command(module);
    return command.function(conf->settings().get(command.module), words) == 0;
  } catch (const std::exception& error) {
    std::cerr << "nginx: [emerg] " << error.what() << "\n";
    return false;
  }
}

}  // namespace seawall
