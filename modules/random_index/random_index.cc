// The random_index module: any file of a folder as its index. Any loop.
#include <dirent.h>

#include <cerrno>
#include <memory>
#include <random>

#include "seawall/module/module.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"

namespace seawall::random_index {

class Conf {
 public:
  Setting<bool> on{false};
};

namespace {

class CloseFolder {
 public:
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// The names that may be shown; a failed read is errno.
Result<std::vector<std::string>> names_in(Fd fd) {
  std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) return system_error_code(errno);
  fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (!entry && errno != 0) return system_error_code(errno);
    if (!entry) return names;
    const bool may_be_file = entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
    if (may_be_file && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
}

Response refuse(Exchange& x, const std::string& path, const std::error_code& error) {
  const FileRefusal refusal = refusal_of(error.value());
  x.log(refusal.level, "opendir() \"" + path + "\" failed " + describe(error));
  return Response(refusal.status);
}

std::size_t any_below(std::size_t n) {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
}

bool active(const Conf& conf) { return *conf.on; }

Outcome serve(Exchange& x, const Conf&) {
  if (!x.uri.ends_with('/') || !x.core().root->is_written()) return Next{};
  if (x.method != Method::get && x.method != Method::head && x.method != Method::post) return Next{};
  std::string path;
  if (const int status = path_of(x, path)) return Response(status);
  std::string folder = path;
  if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  Result<Fd> fd = open_folder(x, folder);
  if (!fd) return refuse(x, folder, fd.error());
  Result<std::vector<std::string>> names = names_in(std::move(*fd));
  if (!names) return refuse(x, folder, names.error());
  // A name that is no file after all gives way to another.
  while (!names->empty()) {
    std::string& name = (*names)[any_below(names->size())];
    if (test_file(x, path + name)->is_regular()) return Internal(x.uri + name, x.args);
    std::swap(name, names->back());
    names->pop_back();
  }
  return Next{};
}

}  // namespace

class RandomIndex {
 public:
  using Conf = random_index::Conf;
  static constexpr const char* name = "random_index";
  static constexpr const char* summary = "any file of a folder as its index";
  static inline const Directive directives[] = {
      flag<Conf>("random_index", kLocation, &Conf::on, "Answers a URI that ends in a slash with any file of that folder."),
  };
  static constexpr Step steps[] = {step<Conf, active, serve>(Phase::content)};
};

}  // namespace seawall::random_index

using seawall::random_index::RandomIndex;
SEAWALL_MODULE(RandomIndex)
