// The index module: the file that answers for a URI which ends in a slash. Any loop.
#include <cerrno>
#include <optional>
#include <utility>

#include "seawall/module/module.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"
#include "seawall/server/probe.h"

namespace seawall::index_files {

class Conf {
 public:
  Setting<std::vector<Template>> names;
  const std::vector<Template>& in_force() const {
    static const std::vector<Template> otherwise{Template::literal("index.html")};
    return names.is_default() ? otherwise : *names;
  }
};

namespace {

void append_names(std::vector<Template>& names, const Invocation& in) {
  for (const std::string& word : in.args()) {
    if (word.empty()) throw ConfigError("index \"\" in \"index\" directive is invalid");
    if (word[0] == '/' && &word != &in.args().back())
      in.warn("only the last index in \"index\" directive should be absolute");
    names.push_back(in.compile(word));
  }
}

bool always(const Conf&) { return true; }

bool may_have_index(const Exchange& x) {
  return x.uri.ends_with('/') && (x.method == Method::get || x.method == Method::head || x.method == Method::post);
}

// One request's search. The path is that of its URI, in front of each name in turn.
class Search {
 public:
  Search(Exchange& x, std::string& path) : x_(x), path_(path) {}

  // The answer, if this name brings one; nothing: the next name's turn.
  std::optional<Outcome> try_name(const Template& name) {
    const std::string text = name.eval(x_);
    if (text.starts_with('/')) return Internal(text, x_.args);
    if (text.empty() || !x_.core().root->is_written()) return std::nullopt;
    if (const int status = find_folder()) return Response(status);
    path_.resize(folder_);
    path_ += text;
    if (!stays_below(path_, folder_)) return Response(refuse_path(x_, path_));
    const Ref<File> file = test_file(x_, path_);
    tell(x_, [&] { return "index: " + path_ + (file->error() ? " is not there" : " is there"); });
    if (file->error()) return explain(*file);
    return Internal(x_.uri + text, x_.args);
  }

 private:
  int find_folder() {
    if (folder_ > 0) return 0;
    if (const int status = path_of(x_, path_)) return status;
    folder_ = path_.size();
    return 0;
  }

  std::optional<Outcome> explain(const File& file) {
    switch (file.error()) {
      case EMLINK:
      case ELOOP: return Response(403);
      case ENOTDIR:
      case ENAMETOOLONG:
      case EACCES: return refuse(file.error());
      default: break;
    }
    // A folder that is not there at all is one line in the log, not "directory index of ... is forbidden".
    if (!std::exchange(folder_tested_, true))
      if (const int error = test_folder()) return refuse(error);
    if (file.error() == ENOENT) return std::nullopt;
    x_.log(Level::crit, file.failure(path_));
    return Response(500);
  }

  int test_folder() {
    std::string folder = path_.substr(0, folder_);
    if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    const int error = test_file(x_, folder)->error();
    return error == EACCES ? 0 : error;  // it may be entered: the name's error came from inside
  }

  Response refuse(int error) {
    if (error == EACCES) {
      x_.log(Level::error, "\"" + path_ + "\" is forbidden " + describe(system_error_code(error)));
      return Response(403);
    }
    if (*x_.core().log_not_found)
      x_.log(Level::error, "\"" + path_ + "\" is not found " + describe(system_error_code(error)));
    return Response(404);
  }

  Exchange& x_;
  std::string& path_;
  std::size_t folder_ = 0;  // its length in path_; 0: not known yet
  bool folder_tested_ = false;
};

Outcome serve(Exchange& x, const Conf& conf) {
  if (!may_have_index(x)) return Next{};
  thread_local std::string path;
  Search search(x, path);
  for (const Template& name : conf.in_force())
    if (std::optional<Outcome> outcome = search.try_name(name)) return std::move(*outcome);
  return Next{};
}

}  // namespace

class Index {
 public:
  using Conf = index_files::Conf;
  static constexpr const char* name = "index";
  static constexpr const char* summary = "the file of a folder";
  static constexpr const char* loaded_by[] = {"root", "alias"};
  static inline const Directive directives[] = {
      list<Conf, Template>("index", kAllHttp, 1, kMany, "file ...", &Conf::names, append_names,
                           "The files that are looked for where a URI ends in a slash; the last may be an absolute URI."),
  };
  static constexpr Step steps[] = {step<Conf, always, serve>(Phase::content)};
};

}  // namespace seawall::index_files

using seawall::index_files::Index;
SEAWALL_MODULE(Index)
