// The ssi module: server side includes. Settings are read by every loop.
#include <ctime>

#include "conf.h"
#include "page.h"
#include "seawall/server/changed_body.h"

namespace seawall::ssi {
namespace {

bool active(const Conf& conf) { return *conf.on; }

Result<void> obey(Exchange& x, Response& response, const Conf& conf) {
  if (length_of(response.body) == 0 || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  if (!conf.types->has(response) || !response.headers.get(FieldId::content_encoding).empty()) return {};
  response.body = std::make_unique<Page>(x, reader_of(std::move(response.body)), conf);
  body_changes(response);
  if (!*conf.last_modified) forget_version(response);
  return {};
}

template <bool Gmt>
bool date(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::string& format = x.state<Ssi>().time_format;
  const std::time_t now = std::time(nullptr);
  if (format == "%s") {
    out += std::to_string(now);
    return true;
  }
  tm parts{};
  Gmt ? ::gmtime_r(&now, &parts) : ::localtime_r(&now, &parts);
  char text[2048];
  out.append(text, std::strftime(text, sizeof text, format.c_str(), &parts));
  return true;
}

void accept_size(Conf&, const Invocation& in) {
  if (!size_of(in.arg(0))) throw ConfigError("\"" + in.node.name + "\" directive invalid value");
}
void accept_flag(Conf&, const Invocation& in) { parse_flag(in); }

const Directive rows[] = {
    flag<Conf>("ssi", kAllHttp | kLocationIf, &Conf::on, "Obeys commands in responses."),
    types<Conf>("ssi_types", kAllHttp, &Conf::types, "In responses of which types besides text/html; * of all."),
    flag<Conf>("ssi_silent_errors", kAllHttp, &Conf::silent_errors, "A command that fails leaves nothing in its place."),
    flag<Conf>("ssi_last_modified", kAllHttp, &Conf::last_modified, "Keeps Last-Modified, and ETag as a weak one."),
    size<Conf>("ssi_value_length", kAllHttp, &Conf::value_length, "The longest value of a parameter."),
    size<Conf>("subrequest_output_buffer_size", kAllHttp, &Conf::output_buffer_size,
               "The longest answer of this location that can be the value of a variable (`set` of `include`); a longer one ends "
               "the page (nginx: one page of memory)."),
    custom<Conf>("ssi_min_file_chunk", kAllHttp, 1, 1, "size", accept_size, "Accepted; pages are read into memory."),
    custom<Conf>("ssi_ignore_recycled_buffers", kAllHttp, 1, 1, "on | off", accept_flag,
                 "Accepted; there are no such buffers."),
};

}  // namespace

const std::span<const Directive> Ssi::directives = rows;
const Filter Ssi::filters[] = {filter<Conf, active, obey>(FilterStage::ssi)};
const VariableRow Ssi::variables[] = {{"date_local", date<false>}, {"date_gmt", date<true>}};
void Ssi::check(Conf& conf, Settings&, Binder& binder) { conf.variables = &binder.variables(); }

}  // namespace seawall::ssi

using seawall::ssi::Ssi;
SEAWALL_MODULE(Ssi)
