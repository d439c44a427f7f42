#include "seawall/process/installation.h"

#include <filesystem>

namespace seawall {
namespace {

namespace fs = std::filesystem;

fs::path program_directory() { return fs::read_symlink("/proc/self/exe").parent_path(); }

bool in_build_tree(const fs::path& directory) { return fs::exists(directory / "modules" / "modules.index"); }

}  // namespace

std::string module_directory() {
  const fs::path directory = program_directory();
  if (in_build_tree(directory)) return directory / "modules";
  return (directory / SEAWALL_MODULES_FROM_BIN).lexically_normal();
}

std::string default_prefix() {
  const fs::path directory = program_directory();
  if (in_build_tree(directory)) return SEAWALL_PREFIX;
  return (directory / SEAWALL_PREFIX_FROM_BIN / "").lexically_normal();
}

}  // namespace seawall
