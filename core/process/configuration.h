// Configuration: one configuration file, parsed, bound and compiled, with all that it owns. Made in the supervisor before
// it forks a worker; immutable afterwards.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "seawall/config/binder.h"
#include "seawall/config/tree.h"
#include "seawall/config/variable.h"
#include "seawall/module/loader.h"
#include "seawall/observe/sources.h"
#include "seawall/process/configuration_metrics.h"
#include "seawall/process/options.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/http_conf.h"
#include "seawall/server/worker_module.h"

namespace seawall {

class Configuration {
 public:
  // ConfigError in nginx's wording. Warnings go to `warn` as they are found; `notice` hears of directives without meaning.
  static std::unique_ptr<Configuration> load(const Options& options, std::function<void(const std::string&)> warn,
                                             std::function<void(const std::string&)> notice = {});

  // Makes what is one for the process this configuration's: the numbers of modules, the name under `compat nginx`, what explanations
  // say of it. Before the process serves it, which must not outlive it.
  void adopt() const;

  const ConfigTree& tree() const { return *tree_; }
  const MainConf& main() const { return *main_; }
  const WorkerConf& worker() const { return *worker_; }
  const HttpConf& http() const { return *http_; }
  Loader& loader() const { return *loader_; }
  const Settings& settings() const { return *settings_; }
  const std::set<std::string>& worker_folders() const { return worker_folders_; }
  std::string pid_file() const;
  // Of the main context. There is always a file among them, as in nginx: where none is written, the first log at `error`.
  LogTargets error_log(const Options& options) const;

 private:
  std::vector<Collect> sources() const;
  std::unique_ptr<ConfigTree> tree_;
  VariableTable variables_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Binder> binder_;
  Settings* settings_ = nullptr;
  const MainConf* main_ = nullptr;
  const WorkerConf* worker_ = nullptr;
  std::unique_ptr<HttpConf> http_;
  std::set<std::string> worker_folders_;
  std::unique_ptr<const ConfigurationMetrics> metrics_;
};

}  // namespace seawall
