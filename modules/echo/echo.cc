// The echo module: text as an answer. Settings are read by every loop.
#include <algorithm>

#include "command.h"
#include "script.h"
#include "seawall/async/event.h"
#include "seawall/base/text.h"
#include "seawall/server/changed_body.h"
#include "seawall/server/content_type.h"
#include "seawall/server/server_name.h"

namespace seawall::echo {

class Conf {
 public:
  // Of the block that wrote them: blocks inside it share its Conf, but not its handler.
  std::vector<Command> commands;
  const Settings* block = nullptr;
  std::int64_t status = 200;
  Setting<std::vector<Command>> before, after;
};

namespace {

void add(Conf& conf, const Invocation& in, Command command) {
  conf.commands.push_back(std::move(command));
  conf.block = &in.settings;
}

void add_text(Conf& conf, const Invocation& in) { add(conf, in, parse_echo(in)); }
void add_duplicate(Conf& conf, const Invocation& in) { add(conf, in, parse_duplicate(in)); }
void add_sleep(Conf& conf, const Invocation& in) { add(conf, in, parse_sleep(in)); }
template <Command::Kind Kind>
void add_target(Conf& conf, const Invocation& in) { add(conf, in, parse_target(in, Kind)); }
template <Command::Kind Kind>
void add_plain(Conf& conf, const Invocation& in) { add(conf, in, Command(Kind)); }

void set_status(Conf& conf, const Invocation& in) {
  const auto status = parse_decimal(in.arg(0));
  if (!status || *status < 200 || *status > 999) throw ConfigError("invalid status \"" + in.arg(0) + "\"");
  conf.status = static_cast<std::int64_t>(*status);
}

void append_text(std::vector<Command>& commands, const Invocation& in) { commands.push_back(parse_echo(in)); }

bool answers(const Conf& conf) { return !conf.commands.empty(); }

bool is_exec(const Command& command) { return command.kind == Command::Kind::exec; }

// echo_exec: nothing of what stands before it but its pauses counts.
Task<Outcome> exec(Exchange& x, const Conf& conf) {
  for (const Command& command : conf.commands) {
    if (command.kind == Command::Kind::sleep) {
      const auto pause = pause_of(command, x);
      if (!pause) co_return Response(500);
      const Errc waited = co_await sleep_until(Deadline::in(*pause, Wait::handler));
      if (waited == Errc::cancelled) co_return Response(500);
    }
    if (!is_exec(command)) continue;
    Target target = target_of(command, x);
    co_return Internal(std::move(target.uri), std::move(target.args));
  }
  co_return Response(500);
}

// A text that needs no wait is known in full.
bool is_at_hand(const std::vector<Command>& commands) {
  return std::all_of(commands.begin(), commands.end(), [](const Command& c) { return c.kind == Command::Kind::text; });
}

std::string whole_text(const std::vector<Command>& commands, Exchange& x) {
  std::string text;
  for (const Command& command : commands) text += text_of(command, x);
  return text;
}

Task<Outcome> answer(Exchange& x, const Conf& conf) {
  if (!x.location->holds(conf.block)) co_return Next{};
  if (std::any_of(conf.commands.begin(), conf.commands.end(), is_exec)) co_return co_await exec(x, conf);
  Response response(static_cast<int>(conf.status));
  if (is_at_hand(conf.commands) && !is_nginx_alike()) response.body = Slice::from(whole_text(conf.commands, x));
  else response.body = std::make_unique<Script>(x, conf.commands, is_nginx_alike());
  if (const std::string_view type = content_type_of(x); !type.empty())
    response.headers.add_view("Content-Type", type, FieldId::content_type);
  co_return response;
}

// The body between two texts, which are made when their turn has come.
class Framed final : public Reader {
 public:
  Framed(Exchange& x, std::unique_ptr<Reader> body, const Conf& conf) : x_(x), body_(std::move(body)), conf_(conf) {}

  Task<Result<Piece>> read() override {
    if (!begun_ && !conf_.before->empty()) {
      begun_ = true;
      co_return Piece(Slice::from(whole_text(*conf_.before, x_)), false);
    }
    if (read_) co_return Piece(Slice::from(whole_text(*conf_.after, x_)), true);
    Result<Piece> piece = co_await body_->read();
    if (!piece || !piece->last || conf_.after->empty()) co_return piece;
    read_ = true;
    piece->last = false;
    co_return piece;
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  Exchange& x_;
  std::unique_ptr<Reader> body_;
  const Conf& conf_;
  bool begun_ = false, read_ = false;
};

bool frames(const Conf& conf) { return !conf.before->empty() || !conf.after->empty(); }

Result<void> frame(Exchange& x, Response& response, const Conf& conf) {
  if (x.parent || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  response.body = std::make_unique<Framed>(x, reader_of(std::move(response.body)), conf);
  body_changes(response);
  return {};
}

// The method of this request, of the client's, and the body as far as it was read.
bool own_method(Exchange& x, std::string_view, const void*, std::string& out) {
  out += x.request.method_name;
  return true;
}
bool client_method(Exchange& x, std::string_view, const void*, std::string& out) {
  out += x.main().request.method_name;
  return true;
}
// The head of the client's request, with what scripts have made of its fields.
bool client_head(Exchange& x, std::string_view, const void*, std::string& out) {
  const auto& request = x.main().request;
  out.append(request.request_line).append("\r\n");
  for (const Field& field : request.headers.all()) out.append(field.name).append(": ").append(field.value).append("\r\n");
  out += "\r\n";
  return true;
}
bool read_body(Exchange& x, std::string_view, const void*, std::string& out) {
  if (x.body.kept()) out += x.body.kept()->view();
  return x.body.kept() != nullptr;
}

const VariableRow variable_rows[] = {
    {"echo_request_method", own_method}, {"echo_client_request_method", client_method}, {"echo_client_request_headers", client_head},
    {"echo_request_body", read_body}};

constexpr unsigned kContent = kLocation | kLocationIf;
constexpr unsigned kWithIf = kAllHttp | kLocationIf;

const Directive rows[] = {
    custom<Conf>("echo", kContent, 0, kMany, "[-n] [text ...]", add_text, "Says the words and (without -n) a line end."),
    custom<Conf>("echo_duplicate", kContent, 2, 2, "count text", add_duplicate, "Says a text several times."),
    custom<Conf>("echo_flush", kContent, 0, 0, "", add_plain<Command::Kind::flush>, "Sends what was said so far."),
    custom<Conf>("echo_sleep", kContent, 1, 1, "seconds", add_sleep,
                 "Pauses; handler_timeout counts until something was sent."),
    custom<Conf>("echo_status", kContent, 1, 1, "status", set_status, "The status of the answer."),
    custom<Conf>("echo_read_request_body", kContent, 0, 0, "", add_plain<Command::Kind::read_body>,
                 "Waits for the request's body."),
    custom<Conf>("echo_request_body", kContent, 0, 0, "", add_plain<Command::Kind::request_body>, "Says the request's body."),
    custom<Conf>("echo_location", kContent, 1, 2, "uri [arguments]", add_target<Command::Kind::location>,
                 "Says what another URI answers."),
    custom<Conf>("echo_exec", kContent, 1, 2, "uri [arguments]", add_target<Command::Kind::exec>,
                 "Goes to another URI or named location."),
    list<Conf, Command>("echo_before_body", kWithIf, 0, kMany, "[-n] [text ...]", &Conf::before, append_text,
                        "Text before a body."),
    list<Conf, Command>("echo_after_body", kWithIf, 0, kMany, "[-n] [text ...]", &Conf::after, append_text,
                        "Text behind a body."),
};

}  // namespace

class Echo {
 public:
  using Conf = echo::Conf;
  static constexpr const char* name = "echo";
  static constexpr const char* summary = "text as an answer";
  static inline const std::span<const Directive> directives = rows;
  static inline const std::span<const VariableRow> variables = variable_rows;
  static constexpr Step steps[] = {step<Conf, answers, answer>(Phase::content)};
  static constexpr Filter filters[] = {filter<Conf, frames, frame>(FilterStage::script)};
};

}  // namespace seawall::echo

using seawall::echo::Echo;
SEAWALL_MODULE(Echo)
