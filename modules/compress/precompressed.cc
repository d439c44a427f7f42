#include "precompressed.h"

#include <algorithm>
#include <cerrno>

#include "accept.h"
#include "gzip_rules.h"
#include "seawall/server/content_type.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"

namespace seawall::compress {
namespace {

class Candidate {
 public:
  const Coding* coding = nullptr;
  int quality = 0;  // 0: the client does not get it; Vary may have to say that it exists
};

// The codings with files, the best for this client first. `always` takes everybody for one that accepts.
int candidates_for(const Exchange& x, const Conf& conf, std::array<Candidate, kCodings>& found) {
  int n = 0;
  for (const Coding& coding : codings) {
    const Static rule = *(conf.*coding.precompressed);
    if (rule == Static::off) continue;
    Candidate& candidate = found[static_cast<std::size_t>(n++)];
    candidate.coding = &coding;
    // What a subrequest answers becomes a part of another body.
    candidate.quality = x.parent ? 0 : quality_of(x.request.headers, coding.token);
    if (&coding == &gzip_coding && rule == Static::on && !allows_gzip(x, Response(200), conf)) candidate.quality = 0;
    if (rule == Static::always) candidate.quality = std::max(candidate.quality, 1);
  }
  std::stable_sort(found.begin(), found.begin() + n, [](auto& a, auto& b) { return a.quality > b.quality; });
  return n;
}

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG; }

Response send(Exchange& x, const Ref<File>& file, const Coding& coding) {
  Response response(200, file->body());
  response.pinned = Ref<Owner>(file);
  Headers& headers = response.headers;
  if (const std::string_view type = content_type_of(x); !type.empty())
    headers.add_view("Content-Type", type, FieldId::content_type);
  headers.add_view("Last-Modified", file->last_modified(), FieldId::last_modified);
  if (*x.core().etag) headers.add_view("ETag", file->etag(), FieldId::etag);
  headers.add_view("Content-Encoding", coding.token, FieldId::content_encoding);
  response.last_modified = file->modified();
  response.accept_ranges = true;
  return response;
}

// The file in this coding, if there is one that can be sent.
Ref<File> find(Exchange& x, const std::string& path) {
  Ref<File> file = open_file(x, path);
  if (file->error() == 0) return file->is_regular() ? file : Ref<File>();
  if (!is_absent(file->error())) {
    const bool refused = file->error() == EACCES || file->error() == EMLINK || file->error() == ELOOP;
    x.log(refused ? Level::error : Level::crit, file->failure(path));
  }
  return {};
}

}  // namespace

bool has_precompressed(const Conf& conf) {
  return std::any_of(codings.begin(), codings.end(),
                     [&](auto& coding) { return *(conf.*coding.precompressed) != Static::off; });
}

Outcome serve_precompressed(Exchange& x, const Conf& conf) {
  if (x.method != Method::get && x.method != Method::head) return Next{};
  if (x.uri.ends_with('/') || !x.core().root->is_written()) return Next{};
  std::array<Candidate, kCodings> candidates;
  const int n = candidates_for(x, conf, candidates);
  thread_local std::string path;
  std::size_t plain = 0;
  State& state = x.state<CompressModule>();
  for (const Candidate& candidate : std::span(candidates.data(), static_cast<std::size_t>(n))) {
    if (candidate.quality == 0 && (!*conf.vary || state.varies)) break;
    if (plain == 0) {
      if (const int status = path_of(x, path)) return Response(status);
      plain = path.size();
    }
    path.resize(plain);
    path += candidate.coding->suffix;
    const Ref<File> file = find(x, path);
    if (!file) continue;
    if (*(conf.*candidate.coding->precompressed) == Static::on) state.varies = true;
    if (candidate.quality > 0) return send(x, file, *candidate.coding);
  }
  return Next{};
}

}  // namespace seawall::compress
