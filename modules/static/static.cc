// The static module: the file that a URI names, as the last handler of a location. Any loop.
#include <cerrno>

#include "seawall/module/module.h"
#include "seawall/server/content_type.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"
#include "seawall/server/probe.h"
#include "try_files.h"

namespace seawall::static_files {

class Conf {
 public:
  Setting<TryFiles> try_files;
  // The block that wrote it. It is never inherited, but a block without a Conf of its own shares its outer one's.
  const Settings* block = nullptr;
};

namespace {

bool always(const Conf&) { return true; }

bool is_read(Method method) { return method == Method::get || method == Method::head; }

Response refuse_method() {
  Response response(405);
  response.headers.add_view("Allow", "GET, HEAD", FieldId::allow);
  return response;
}

// A path that ends in a slash, and nobody had an index for it.
Response refuse_directory(Exchange& x, std::string_view path) {
  x.log(Level::error, "directory index of \"" + std::string(path) + "\" is forbidden");
  return Response(403);
}

Response refuse_file(Exchange& x, const File& file, std::string_view path) {
  const FileRefusal refusal = refusal_of(file.error());
  if (refusal.status != 404 || *x.core().log_not_found) x.log(refusal.level, file.failure(path));
  return Response(refusal.status);
}

Response send(Exchange& x, const Ref<File>& file) {
  Response response(200, file->body());
  response.pinned = Ref<Owner>(file);
  Headers& headers = response.headers;
  if (const std::string_view type = content_type_of(x); !type.empty())
    headers.add_view("Content-Type", type, FieldId::content_type);
  headers.add_view("Last-Modified", file->last_modified(), FieldId::last_modified);
  if (*x.core().etag) headers.add_view("ETag", file->etag(), FieldId::etag);
  response.last_modified = file->modified();
  response.accept_ranges = true;
  return response;
}

Outcome serve(Exchange& x, const Conf&) {
  if (!x.core().root->is_written()) return Next{};
  if (!is_read(x.method) && x.method != Method::post) return refuse_method();
  thread_local std::string path;
  if (const int status = path_of(x, path)) return Response(status);
  if (x.uri.ends_with('/')) return refuse_directory(x, path);
  tell(x, [&] { return "file: " + path; });
  const Ref<File> file = open_file(x, path);
  if (file->error()) return refuse_file(x, *file, path);
  if (file->is_directory()) return redirect_to(x, 301, x.uri + "/", x.args);
  if (!file->is_regular()) {
    x.log(Level::crit, "\"" + path + "\" is not a regular file");
    return Response(404);
  }
  if (!is_read(x.method)) return refuse_method();
  return send(x, file);
}

bool tries_files(const Conf& conf) { return conf.block != nullptr; }

Outcome try_names(Exchange& x, const Conf& conf) {
  return x.location->settings == conf.block ? conf.try_files->run(x) : Next{};
}

void set_try_files(Conf& conf, const Invocation& in) {
  if (conf.block) throw_duplicate("try_files");
  conf.try_files.set(TryFiles(in), in.node.place);
  conf.block = &in.settings;
}

}  // namespace

class Static {
 public:
  using Conf = static_files::Conf;
  static constexpr const char* name = "static";
  static constexpr const char* summary = "files of root and alias, try_files";
  static constexpr const char* loaded_by[] = {"root", "alias"};
  static inline const Directive directives[] = {
      custom<Conf>("try_files", kServer | kLocation, 2, kMany, "file ... uri | =code", set_try_files,
                   "The first of these files (folders: with a final slash) that is there, else the last word: a URI, a "
                   "named location or a status."),
  };
  static constexpr Step steps[] = {
      step<Conf, tries_files, try_names>(Phase::precontent),
      step<Conf, always, serve>(Phase::content),
  };
};

}  // namespace seawall::static_files

using seawall::static_files::Static;
SEAWALL_MODULE(Static)
