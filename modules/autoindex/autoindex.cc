// The autoindex module: lists a folder that no index answered for. Any loop.
#include <algorithm>
#include <cerrno>

#include "folder.h"
#include "formats.h"
#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"

namespace seawall::autoindex {

enum class Format : std::uint8_t { html, json, jsonp, xml };

class Conf {
 public:
  Setting<bool> on{false}, exact_size{true}, local_time{false};
  Setting<Format> format{Format::html};
};

namespace {

bool active(const Conf& conf) { return *conf.on; }

bool is_callback_byte(char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '.'; }

// The argument `callback`: empty when there is none. Nothing: it is not the name of a function, but might be a script.
std::optional<std::string_view> callback_of(const Exchange& x) {
  std::string_view args = x.args;
  while (!args.empty()) {
    const auto end = std::min(args.find('&'), args.size());
    std::string_view arg = args.substr(0, end);
    args.remove_prefix(std::min(end + 1, args.size()));
    const auto equals = arg.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(arg.substr(0, equals), "callback")) continue;
    const std::string_view name = arg.substr(equals + 1);
    if (name.size() <= 128 && std::all_of(name.begin(), name.end(), is_callback_byte)) return name;
    x.log(Level::info, "client sent invalid callback name: \"" + std::string(name) + "\"");
    return std::nullopt;
  }
  return std::string_view();
}

Response refuse_folder(Exchange& x, const std::string& path, const std::error_code& error) {
  const FileRefusal refusal = refusal_of(error.value());
  x.log(refusal.level, "opendir() \"" + path + "\" failed " + describe(error));
  return Response(refusal.status);
}

Response answer(const char* type, std::string text) {
  Response response(200, Slice::from(std::move(text)));
  response.headers.add_view("Content-Type", type, FieldId::content_type);
  return response;
}

Response list(const Exchange& x, const Conf& conf, const Entries& entries, std::string_view callback) {
  switch (*conf.format) {
    case Format::xml: return answer("text/xml; charset=utf-8", xml_of(entries));
    case Format::json: return answer("application/json", json_of(entries));
    case Format::jsonp:
      if (callback.empty()) return answer("application/json", json_of(entries));
      // The comment in front keeps the name from being read as something else than script.
      return answer("application/javascript", "/* callback */\r\n" + std::string(callback) + "(" + json_of(entries) + ");");
    case Format::html: break;
  }
  PageStyle style;
  style.exact_size = *conf.exact_size;
  style.local_time = *conf.local_time;
  return answer("text/html", html_of(entries, x.uri, style));
}

Outcome serve(Exchange& x, const Conf& conf) {
  if (!x.core().root->is_written() || !x.uri.ends_with('/')) return Next{};
  if (x.method != Method::get && x.method != Method::head) return Next{};
  std::string path;
  if (const int status = path_of(x, path)) return Response(status);
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::string_view callback;
  if (*conf.format == Format::jsonp) {
    const auto name = callback_of(x);
    if (!name) return Response(400);
    callback = *name;
  }
  Result<Fd> folder = open_folder(x, path);
  if (!folder) return refuse_folder(x, path, folder.error());
  const Result<Entries> entries = read_folder(x, std::move(*folder), path);
  if (!entries) return refuse_folder(x, path, entries.error());
  return list(x, conf, *entries, callback);
}

const std::vector<Choice<Format>> formats{
    {"html", Format::html}, {"json", Format::json}, {"jsonp", Format::jsonp}, {"xml", Format::xml}};

}  // namespace

class Autoindex {
 public:
  using Conf = autoindex::Conf;
  static constexpr const char* name = "autoindex";
  static constexpr const char* summary = "listings of folders";
  static inline const Directive directives[] = {
      flag<Conf>("autoindex", kAllHttp, &Conf::on, "Lists folders that have no index."),
      choice<Conf, Format>("autoindex_format", kAllHttp, &Conf::format, formats, "The form of the listing."),
      flag<Conf>("autoindex_exact_size", kAllHttp, &Conf::exact_size, "Sizes on a page in bytes, not in K, M and G."),
      flag<Conf>("autoindex_localtime", kAllHttp, &Conf::local_time, "Times on a page in the server's zone, not in UTC."),
  };
  static constexpr Step steps[] = {step<Conf, active, serve>(Phase::content)};
};

}  // namespace seawall::autoindex

using seawall::autoindex::Autoindex;
SEAWALL_MODULE(Autoindex)
