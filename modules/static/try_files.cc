#include "try_files.h"

#include <cerrno>

#include "seawall/base/text.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"
#include "seawall/server/probe.h"

namespace seawall::static_files {
namespace {

// Behind an alias a name is looked for without the part of the URI that the alias replaces. nginx cuts it only off names
// with variables, whatever put it there.
std::string_view behind_alias(const Exchange& x, const Template& name, std::string_view text) {
  const std::string& replaced = x.core().root->replaced();
  if (!name.is_literal() && x.core().root->is_alias() && text.starts_with(replaced)) text.remove_prefix(replaced.size());
  return text;
}

bool is_there(Exchange& x, const std::string& path, bool folder) {
  const Ref<File> file = test_file(x, path);
  switch (file->error()) {
    case 0: return file->is_directory() == folder;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return false;
    default: x.log(Level::crit, file->failure(path)); return false;
  }
}

void become(Exchange& x, std::string name, bool folder) {
  const Root& root = *x.core().root;
  if (root.is_whole_path()) {
    if (folder) return;
    x.uri = std::move(name);
    x.uri_follows_alias = true;
  } else {
    x.uri = root.replaced() + name;
  }
}

}  // namespace

TryFiles::TryFiles(const Invocation& in) {
  for (std::size_t i = 0; i + 1 < in.args().size(); ++i) {
    std::string word = in.arg(i);
    Candidate candidate;
    candidate.folder = word.ends_with('/');
    if (candidate.folder) word.pop_back();
    candidate.name = in.compile(word);
    candidates_.push_back(std::move(candidate));
  }
  const std::string& last = in.args().back();
  if (!last.starts_with('=')) {
    otherwise_ = in.compile(last);
    return;
  }
  const auto code = parse_decimal(last.substr(1));
  if (!code || *code == 0 || *code > 999) throw ConfigError("invalid code \"" + last + "\"");
  status_ = static_cast<int>(*code);
}

Outcome TryFiles::run(Exchange& x) const {
  const Root& root = *x.core().root;
  thread_local std::string path;
  if (const int status = root_path_of(x, path)) return Response(status);
  const std::size_t trusted = path.size();
  for (const Candidate& candidate : candidates_) {
    const std::string text = candidate.name.eval(x);
    std::string name(behind_alias(x, candidate.name, text));
    if (!root.is_alias() && !name.empty() && !name.starts_with('/')) name.insert(0, 1, '/');
    path.resize(trusted);
    path += name;
    if (!stays_below(path, trusted)) return Response(refuse_path(x, path));
    const bool there = is_there(x, path, candidate.folder);
    tell(x, [&] { return "try_files: " + path + (candidate.folder ? "/ is " : " is ") + (there ? "there" : "not there"); });
    if (!there) continue;
    become(x, std::move(name), candidate.folder);
    return Next{};
  }
  return fall_back(x);
}

Outcome TryFiles::fall_back(Exchange& x) const {
  if (status_ == 444) return Abort{};
  if (status_) return Response(status_);
  const std::string text = otherwise_.eval(x);
  // Cut as the names are: configurations repeat the alias's location to get around that ("/a//a/index.php"). Where
  // cutting leaves no URI, as nginx has it, the text was meant as it stands.
  std::string_view to = behind_alias(x, otherwise_, text);
  if (!to.starts_with('/') && !to.starts_with('@')) to = text;
  if (to.starts_with('@')) return Internal(std::string(to));
  const auto question = to.find('?');
  if (question == std::string_view::npos) return Internal(std::string(to));
  return Internal(std::string(to.substr(0, question)), std::string(to.substr(question + 1)));
}

}  // namespace seawall::static_files
