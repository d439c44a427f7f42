#include "seawall/process/configuration.h"

#include "seawall/observe/process_metrics.h"
#include "seawall/observe/server_metrics.h"
#include "seawall/process/directives_in_force.h"
#include "seawall/process/first_log.h"
#include "seawall/process/installation.h"
#include "seawall/server/core_module.h"
#include "seawall/server/explanation.h"
#include "seawall/server/server_name.h"
#include "seawall/server/worker_folders.h"
#include "seawall/upstream/upstream_counts.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {

std::unique_ptr<Configuration> Configuration::load(const Options& options, std::function<void(const std::string&)> warn,
                                                   std::function<void(const std::string&)> notice) {
  auto conf = std::make_unique<Configuration>();
  take_worker_folders();  // of one that was refused
  conf->tree_ = parse_config(options.conf, options.globals);
  conf->loader_ = std::make_unique<Loader>(module_directory(), conf->variables_);
  Binder::Options binding;
  binding.prefix = options.prefix;
  binding.conf_prefix = options.conf_prefix();
  binding.warn = std::move(warn);
  binding.notice = std::move(notice);
  conf->binder_ = std::make_unique<Binder>(*conf->loader_, conf->variables_, std::move(binding));
  conf->settings_ = &conf->binder_->bind(*conf->tree_);
  conf->variables_.resolve();
  conf->main_ = static_cast<const MainConf*>(conf->settings_->get(module_number<MainModule>));
  conf->worker_ = static_cast<const WorkerConf*>(conf->settings_->get(module_number<WorkerModule>));
  if (!conf->main_->has_events) throw ConfigError("no \"events\" section in configuration");
  if (!conf->worker().cpu_affinity->fits(static_cast<int>(*conf->main_->worker_processes)))
    conf->binder_->options().warn("the number of \"worker_processes\" is not equal to the number of \"worker_cpu_affinity\" masks, "
                                  "using last mask for remaining worker processes");
  const std::vector<Offer> offers = conf->loader_->offers();
  conf->http_ = HttpConf::make(*conf->settings_, *conf->binder_, offers);
  conf->worker_folders_ = take_worker_folders();
  conf->metrics_ = std::make_unique<ConfigurationMetrics>(*conf->tree_);
  return conf;
}

std::vector<Collect> Configuration::sources() const {
  std::vector<Collect> sources{collect_server, collect_process, [this](Gathering& out) { metrics_->collect(out, *http_); }};
  sources.push_back([conf = static_cast<const UpstreamConf*>(settings_->get(module_number<UpstreamModule>))](Gathering& out) { collect_upstreams(out, *conf); });
  for (int i = 0; i < loader_->modules(); ++i)
    if (const auto collect = loader_->module(i).collect)
      sources.push_back([collect, conf = settings_->get(i)](Gathering& out) { collect(out, conf); });
  return sources;
}

void Configuration::adopt() const {
  loader_->adopt();
  set_nginx_name(*main_->compat_nginx);
  set_sources(sources());
  set_directives_in_force([this](const Location& location) { return directives_in_force(*this, location); });
}

std::string Configuration::pid_file() const {
  return main_->pid->empty() ? binder_->options().prefix + "logs/nginx.pid" : *main_->pid;
}

LogTargets Configuration::error_log(const Options& options) const {
  LogTargets targets = *main_->error_log;
  for (const LogTarget& target : targets)
    if (target.sink->is_file()) return targets;
  LogTarget file;
  file.level = Level::error;
  file.sink = first_log(options);
  targets.push_back(std::move(file));
  return targets;
}

}  // namespace seawall
