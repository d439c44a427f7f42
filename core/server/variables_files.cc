// Variables of the files a request is about. Any loop.
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/path.h"
#include "seawall/server/variables.h"

namespace seawall {
namespace {

bool document_root(Exchange& x, std::string_view, const void*, std::string& out) {
  x.core().root->append(x, out);
  return true;
}

bool realpath_root(Exchange& x, std::string_view, const void*, std::string& out) {
  std::string root;
  x.core().root->append(x, root);
  char real[PATH_MAX];
  if (!::realpath(root.empty() ? "/" : root.c_str(), real)) {
    x.log(Level::crit, "realpath() \"" + root + "\" failed " + describe(system_error_code(errno)));
    return false;
  }
  out += real;
  return true;
}

bool request_filename(Exchange& x, std::string_view, const void*, std::string& out) {
  std::string path;
  if (path_of(x, path) != 0) return false;
  out += path;
  return true;
}

constexpr VariableRow rows[] = {
    {"document_root", document_root},
    {"realpath_root", realpath_root},
    {"request_filename", request_filename},
};

}  // namespace

std::span<const VariableRow> file_variables() { return rows; }

}  // namespace seawall
