// The core's http directives: parsers of those that are more than one typed value, and the table.
#include <algorithm>
#include <utility>

#include "seawall/base/text.h"
#include "seawall/server/core_module.h"
#include "seawall/server/error_log.h"
#include "seawall/server/worker_folders.h"

namespace seawall {
namespace {

LargeBuffers parse_large_buffers(const Invocation& in) {
  const auto number = parse_decimal(in.arg(0));
  const auto size = size_of(in.arg(1));
  if (!number || *number == 0 || *number > 65536 || !size || *size <= 0)
    throw ConfigError("\"large_client_header_buffers\" directive invalid value");
  LargeBuffers buffers;
  buffers.number = static_cast<std::int64_t>(*number);
  buffers.size = *size;
  return buffers;
}

KeepaliveTimeout parse_keepalive_timeout(const Invocation& in) {
  KeepaliveTimeout value;
  const auto timeout = time_of(in.arg(0));
  if (!timeout) throw ConfigError("\"keepalive_timeout\" directive invalid value");
  value.timeout = *timeout;
  if (in.args().size() == 1) return value;
  const auto header = time_of(in.arg(1));
  if (!header) throw ConfigError("\"keepalive_timeout\" directive invalid value");
  value.header = *header;
  return value;
}

// A second one on a level adds to the first, as in nginx.
void add_keepalive_disable(CoreConf& conf, const Invocation& in) {
  KeepaliveDisable value = *conf.keepalive_disable;
  if (!conf.keepalive_disable.is_set()) value.msie6 = value.safari = false;
  for (const std::string& word : in.args()) {
    bool* browser = word == "msie6" ? &value.msie6 : word == "safari" ? &value.safari : nullptr;
    if (!browser && word != "none") throw_invalid_value(word, "keepalive_disable");
    if (browser && std::exchange(*browser, true)) in.warn("duplicate value \"" + word + "\"");
  }
  conf.keepalive_disable.set(value, in.node.place);
}
void inherit_keepalive_disable(CoreConf& conf, const CoreConf& outer) { conf.keepalive_disable.inherit(outer.keepalive_disable); }

// The levels of folders that may follow are for files with names.
std::string parse_body_temp_path(const Invocation& in) {
  const std::string path = in.prefixed(in.arg(0));
  note_worker_folder(path);
  return path;
}

Template parse_rate(const Invocation& in) {
  Template value = in.compile(in.arg(0));
  if (value.is_literal() && !size_of(value.source())) throw_invalid_value(in.arg(0), in.node.name.c_str());
  return value;
}

// types { text/html html htm; ... }: a second one on a level adds to the first, as in nginx.
void apply_types(CoreConf& conf, const Invocation& in) {
  auto types = conf.types.is_set() ? std::make_shared<MimeTypes>(**conf.types) : std::make_shared<MimeTypes>();
  for (const Node& row : in.node.children) {
    if (row.is_block) throw ConfigError("unexpected block in \"types\"", row.place);
    for (const std::string& extension : row.args) {
      const std::string key = lower(extension);
      if (const auto old = types->find(key); old != types->end() && old->second != row.name)
        in.binder.options().warn("duplicate extension \"" + extension + "\", content type: \"" + row.name +
                                 "\", previous content type: \"" + old->second + "\" in " + row.place.text());
      (*types)[key] = row.name;
    }
  }
  conf.types.set(std::move(types), in.node.place);
}
void inherit_types(CoreConf& conf, const CoreConf& outer) { conf.types.inherit(outer.types); }

// error_page 404 502 =200 /page.html;
void append_error_page(std::vector<ErrorPage>& pages, const Invocation& in) {
  const auto& args = in.args();
  const std::string& uri = args.back();
  std::size_t codes = args.size() - 1;
  int status = -1;
  if (const std::string& word = args[codes - 1]; word.starts_with('=')) {
    if (codes == 1) throw_invalid_value(word, "error_page");
    --codes;
    const auto value = word.size() == 1 ? std::optional<std::uint64_t>(0) : parse_decimal(word.substr(1));
    if (!value || *value > 999) throw_invalid_value(word, "error_page");
    status = static_cast<int>(*value);
  }
  const Template to = in.compile(uri);
  for (std::size_t i = 0; i < codes; ++i) {
    const auto code = parse_decimal(args[i]);
    if (!code) throw_invalid_value(args[i], "error_page");
    if (*code == 499) throw ConfigError("value \"" + args[i] + "\" must be between 300 and 599 but 499 is reserved");
    if (*code < 300 || *code > 599) throw ConfigError("value \"" + args[i] + "\" must be between 300 and 599");
    ErrorPage page;
    page.code = static_cast<int>(*code);
    page.status = status;
    page.to = to;
    pages.push_back(std::move(page));
  }
}

void append_conditions(std::vector<Template>& conditions, const Invocation& in) {
  for (const std::string& word : in.args()) conditions.push_back(in.compile(word));
}

template <Root::Kind Kind>
void apply_root(CoreConf& conf, const Invocation& in) {
  if (conf.root.is_set()) {
    const bool alias = conf.root->is_alias();
    if (alias == (Kind == Root::Kind::alias)) throw_duplicate(in.node.name.c_str());
    throw ConfigError("\"" + in.node.name + "\" directive is duplicate, \"" + (alias ? "alias" : "root") +
                      "\" directive was specified earlier");
  }
  conf.root.set(Root(Kind, in), in.node.place);
}
void inherit_root(CoreConf& conf, const CoreConf& outer) { conf.root.inherit(outer.root); }

// A value that is taken and changes nothing: -t says so, as of directives that have no meaning here.
Directive notice_of(Directive row, std::string value) {
  row.apply = [apply = row.apply, value = std::move(value)](void* conf, const Invocation& in) {
    apply(conf, in);
    if (in.arg(0) != value) return;
    in.binder.options().notice("\"" + in.node.name + " " + value + "\" has no meaning here, ignored in " + in.node.place.text());
  };
  return row;
}

using C = CoreConf;
constexpr unsigned kOuter = kHttp | kServer;
const Directive rows[] = {
    warn_when_off(duration<C>("client_header_timeout", kOuter, &C::client_header_timeout,
                              "The whole request head, from its first awaited byte; nginx's default is 60s, ours 10s.")),
    warn_when_off(duration<C>("client_body_timeout", kAllHttp, &C::client_body_timeout, "Between two reads of the body.")),
    duration<C>("client_body_total_timeout", kAllHttp, &C::client_body_total_timeout,
                "The whole body; off by default, as an upload takes what it takes (ours)."),
    warn_when_off(size<C>("client_body_min_rate", kAllHttp, &C::client_body_min_rate,
                          "Bytes a second a body must average after 10 s; 0: off (ours).")),
    warn_when_off(duration<C>("handler_timeout", kAllHttp, &C::handler_timeout,
                              "To the first byte of the response, not counting the wait for the client's body (ours).")),
    warn_when_off(duration<C>("send_timeout", kAllHttp, &C::send_timeout, "Between two writes of the response.")),
    warn_when_off(size<C>("send_min_rate", kAllHttp, &C::send_min_rate,
                          "Bytes a second a client must take while our socket is full, after 10 s; 0: off (ours).")),
    warn_when_off(duration<C>("request_max_time", kAllHttp, &C::request_max_time, "The longest a request may last (ours).")),
    directive<C, KeepaliveTimeout>("keepalive_timeout", kAllHttp, 1, 2, "time [header time]", &C::keepalive_timeout,
                                   parse_keepalive_timeout, "How long an idle connection is kept; 0: not at all.", "75s"),
    duration<C>("keepalive_min_timeout", kAllHttp, &C::keepalive_min_timeout,
                "How long an idle connection is kept at least when another generation takes over (nginx: 0)."),
    duration<C>("keepalive_time", kAllHttp, &C::keepalive_time, "How old a connection may become."),
    number<C>("keepalive_requests", kAllHttp, &C::keepalive_requests, "Requests of one connection."),
    custom<C>("keepalive_disable", kAllHttp, 1, 2, "none | msie6 | safari ...", add_keepalive_disable, "Browsers without keep-alive.",
              inherit_keepalive_disable, "msie6"),
    duration<C>("lingering_time", kAllHttp, &C::lingering_time, "How long input is read away before a close, in all."),
    duration<C>("lingering_timeout", kAllHttp, &C::lingering_timeout, "... between two reads."),
    choice<C, LingeringClose>("lingering_close", kAllHttp, &C::lingering_close,
                              {{"off", LingeringClose::off}, {"on", LingeringClose::on}, {"always", LingeringClose::always}},
                              "Closes in two steps, so that the client can read the response."),
    flag<C>("reset_timedout_connection", kAllHttp, &C::reset_timedout_connection, "Resets connections that timed out."),
    size<C>("client_header_buffer_size", kOuter, &C::client_header_buffer_size, "The first buffer for a request head."),
    directive<C, LargeBuffers>("large_client_header_buffers", kOuter, 2, 2, "number size", &C::large_client_header_buffers,
                               parse_large_buffers, "Bounds a head: number x size in all, size for one line.", "4 8k"),
    number<C>("max_headers", kOuter, &C::max_headers, "Header fields of one request."),
    size<C>("client_max_body_size", kAllHttp, &C::client_max_body_size, "The largest request body; 0: no limit."),
    size<C>("client_body_buffer_size", kAllHttp, &C::client_body_buffer_size, "A body that must be kept is kept in memory up to this."),
    choice<C, BodyInFile>("client_body_in_file_only", kAllHttp, &C::client_body_in_file_only,
                          {{"off", BodyInFile::off}, {"on", BodyInFile::on}, {"clean", BodyInFile::clean}},
                          "A body that must be kept goes into a file with a name, which stays (on) or goes with the request (clean)."),
    list<C, Template>("early_hints", kAllHttp, 1, kMany, "string ...", &C::early_hints, append_conditions,
                      "103 of an upstream is passed on where one of them is neither empty nor 0."),
    directive<C, std::string>("client_body_temp_path", kAllHttp, 1, 4, "path", &C::client_body_temp_path, parse_body_temp_path,
                              "Where longer ones are.", "client_body_temp"),
    flag<C>("ignore_invalid_headers", kOuter, &C::ignore_invalid_headers, "Drops fields with unusual names."),
    flag<C>("underscores_in_headers", kOuter, &C::underscores_in_headers, "Takes underscores as usual in names."),
    flag<C>("merge_slashes", kOuter, &C::merge_slashes, "Takes // in a path for /."),
    choice<C, Satisfy>("satisfy", kAllHttp, &C::satisfy, {{"all", Satisfy::all}, {"any", Satisfy::any}},
                       "Whether all access rules must allow, or one."),
    duration<C>("auth_delay", kAllHttp, &C::auth_delay, "How long a 401 waits before it is sent, against guessing."),
    custom<C>("internal", kLocation, 0, 0, "", [](C& conf, const Invocation& in) {
      if (conf.internal.is_set()) throw_duplicate("internal");
      conf.internal.set(true, in.node.place);
    }, "Only for internal redirects; others get 404.", [](C& conf, const C& outer) { conf.internal.inherit(outer.internal); }),
    choice<C, ServerTokens>("server_tokens", kAllHttp, &C::server_tokens,
                            {{"on", ServerTokens::on}, {"off", ServerTokens::off}, {"build", ServerTokens::build}},
                            "Shows the version in Server and on error pages."),
    block<C>("types", kAllHttp, 0, 0, apply_types, "Content types by file extension.", inherit_types),
    text<C>("default_type", kAllHttp, &C::default_type, "The type of a file whose extension has none."),
    choice<C, IfModifiedSince>("if_modified_since", kAllHttp, &C::if_modified_since,
                               {{"exact", IfModifiedSince::exact}, {"before", IfModifiedSince::before}, {"off", IfModifiedSince::off}},
                               "How If-Modified-Since is compared."),
    number<C>("max_ranges", kAllHttp, &C::max_ranges, "Ranges of one request; 0: none are served."),
    flag<C>("chunked_transfer_encoding", kAllHttp, &C::chunked_transfer_encoding, "Chunked responses in HTTP/1.1."),
    flag<C>("absolute_redirect", kAllHttp, &C::absolute_redirect, "Redirects name scheme and host."),
    flag<C>("server_name_in_redirect", kAllHttp, &C::server_name_in_redirect, "... the first server_name, not Host."),
    flag<C>("port_in_redirect", kAllHttp, &C::port_in_redirect, "... and the port."),
    notice_of(flag<C>("tcp_nodelay", kAllHttp, &C::tcp_nodelay, "TCP_NODELAY; always on here: writes are gathered anyway."), "off"),
    notice_of(flag<C>("tcp_nopush", kAllHttp, &C::tcp_nopush, "Head and file in full packets; always so here (MSG_MORE)."), "on"),
    list<C, ErrorPage>("error_page", kAllHttp | kLocationIf, 2, kMany, "code ... [=[response]] uri", &C::error_pages,
                       append_error_page, "What answers instead of the default page."),
    flag<C>("recursive_error_pages", kAllHttp, &C::recursive_error_pages, "Error pages of error pages."),
    list<C, LogTarget>("error_log", kAllHttp, 1, kMany, "file | stderr | syslog:... [level] [format=json] [request_id] [rate=N/s]", &C::error_log,
                       append_error_log, "Where errors of these requests are logged instead, from which level on."),
    custom<C>("root", kAllHttp | kLocationIf, 1, 1, "path", apply_root<Root::Kind::root>,
              "The folder that URIs are looked up in; without one no file is served (nginx: html).", inherit_root),
    custom<C>("alias", kLocation, 1, 1, "path", apply_root<Root::Kind::alias>,
              "What replaces the location's name, or in a regex location the whole URI; what is left of the URI cannot "
              "climb out with \"..\" (nginx: it can)."),
    flag<C>("etag", kAllHttp, &C::etag, "Files have an ETag, of their time and length."),
    directive<C, Template>("limit_rate", kAllHttp | kLocationIf, 1, 1, "size", &C::limit_rate, parse_rate,
                           "Bytes of a response a second, of each request; 0: as fast as may be.", "0"),
    directive<C, Template>("limit_rate_after", kAllHttp | kLocationIf, 1, 1, "size", &C::limit_rate_after, parse_rate,
                           "Bytes of a response that go before limit_rate holds.", "0"),
    flag<C>("log_not_found", kAllHttp, &C::log_not_found, "Logs files that are not there."),
    flag<C>("log_subrequest", kAllHttp, &C::log_subrequest, "Subrequests have lines of their own in the access log."),
};

}  // namespace

const std::span<const Directive> CoreModule::directives = rows;

Directive warn_when_off(Directive row) {
  row.apply = [apply = row.apply, name = std::string(row.name)](void* conf, const Invocation& in) {
    apply(conf, in);
    if (in.arg(0) == "off" || in.arg(0).find_first_not_of("0ms") == std::string::npos)
      in.warn("\"" + name + "\" is off: what it bounds has no limit now");
  };
  return row;
}

}  // namespace seawall
