#include "seawall/process/options.h"

#include <filesystem>

#include "seawall/process/installation.h"

namespace seawall {
namespace {

void make_absolute(std::string& path, const std::string& base) {
  if (!path.starts_with('/')) path = base + path;
}

}  // namespace

void complete(Options& options) {
  if (options.prefix.empty()) options.prefix = default_prefix();
  options.prefix = std::filesystem::absolute(options.prefix).lexically_normal().string();
  if (!options.prefix.ends_with('/')) options.prefix += '/';
  if (options.conf.empty()) options.conf = "nginx.conf";
  make_absolute(options.conf, options.prefix);
  if (!options.error_log.empty() && options.error_log != "stderr") make_absolute(options.error_log, options.prefix);
}

}  // namespace seawall
