#include "php.h"

#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/open_file.h"
#include "seawall/server/path.h"

namespace seawall::fastcgi {
namespace {

constexpr std::string_view kSuffix = ".php";

// Behind the first ".php" that ends a segment; npos: there is none.
std::size_t end_of_script(std::string_view uri) {
  for (std::size_t at = uri.find(kSuffix); at != uri.npos; at = uri.find(kSuffix, at + 1)) {
    const std::size_t end = at + kSuffix.size();
    if (end == uri.size() || uri[end] == '/') return end;
  }
  return uri.npos;
}

class Search {
 public:
  explicit Search(Exchange& x) : x_(x), state_(x.state<FastCgi>()) {}

  std::optional<Outcome> run() {
    if (!x_.core().root->is_written()) return Next{};
    if (x_.core().root->is_alias()) {
      x_.log(Level::error, "php_fastcgi needs a root: with an alias the names of its programs are not their paths");
      return Response(500);
    }
    if (const int status = root_path_of(x_, root_)) return Response(status);
    if (!x_.uri.starts_with('/')) return Response(refuse_path(x_, x_.uri));  // after a rewrite to "name"
    if (const std::size_t end = end_of_script(x_.uri); end != x_.uri.npos) return of_script(end);
    const Ref<File> file = look(x_.uri);
    if (file->is_regular()) return Next{};
    if (file->is_directory()) return of_folder();
    return of_site();
  }

 private:
  Ref<File> look(std::string_view uri) { return test_file(x_, root_ + std::string(uri)); }

  // What is asked for by name runs when it is that file, and nothing in front of its name is one.
  std::optional<Outcome> of_script(std::size_t end) {
    if (!look(std::string_view(x_.uri).substr(0, end))->is_regular()) return of_site();
    return found(x_.uri.substr(0, end), x_.uri.substr(end));
  }
  std::optional<Outcome> of_folder() {
    const bool named = x_.uri.ends_with('/');
    if (!look(x_.uri + (named ? "" : "/") + "index.php")->is_regular()) return Next{};
    if (!named) return redirect_to(x_, 301, x_.uri + "/", x_.args);
    return found(x_.uri + "index.php", {});
  }
  // The program that answers for every page that is no file.
  std::optional<Outcome> of_site() {
    if (!look("/index.php")->is_regular()) return Response(404);
    return found("/index.php", {});
  }
  std::optional<Outcome> found(std::string script, std::string path_info) {
    if (!stays_below(script, 0)) return Response(refuse_path(x_, script));
    state_.script = std::move(script);
    state_.path_info = std::move(path_info);
    state_.found = true;
    return std::nullopt;
  }

  Exchange& x_;
  FastCgi::State& state_;
  std::string root_;
};

}  // namespace

std::optional<Outcome> find_php(Exchange& x) { return Search(x).run(); }

std::vector<Param> php_params(const Invocation& in) {
  static constexpr std::pair<const char*, const char*> all[] = {
      {"SCRIPT_FILENAME", "$document_root$fastcgi_script_name"}, {"SCRIPT_NAME", "$fastcgi_script_name"},
      {"PATH_INFO", "$fastcgi_path_info"}, {"DOCUMENT_ROOT", "$document_root"}, {"DOCUMENT_URI", "$document_uri"},
      {"REQUEST_URI", "$request_uri"}, {"QUERY_STRING", "$query_string"}, {"REQUEST_METHOD", "$request_method"},
      {"CONTENT_TYPE", "$content_type"}, {"CONTENT_LENGTH", "$content_length"}, {"SERVER_PROTOCOL", "$server_protocol"},
      {"REQUEST_SCHEME", "$scheme"}, {"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_SOFTWARE", "seawall"},
      {"REMOTE_ADDR", "$remote_addr"}, {"REMOTE_PORT", "$remote_port"}, {"REMOTE_USER", "$remote_user"},
      {"SERVER_ADDR", "$server_addr"}, {"SERVER_PORT", "$server_port"}, {"SERVER_NAME", "$server_name"},
      {"REDIRECT_STATUS", "200"},
  };
  std::vector<Param> params;
  for (const auto& [name, value] : all) {
    Param& param = params.emplace_back();
    param.name = name;
    param.value = in.compile(value);
  }
  Param& https = params.emplace_back();
  https.name = "HTTPS";
  https.value = in.compile("$https");
  https.if_not_empty = true;
  return params;
}

}  // namespace seawall::fastcgi
