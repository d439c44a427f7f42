#include "page.h"

#include <algorithm>

#include "expression.h"
#include "seawall/base/text.h"
#include "seawall/http/uri.h"

namespace seawall::ssi {
namespace {

// Text goes out in pieces of about this size.
constexpr std::size_t kPiece = 64 * 1024;
// Of one request, in pages inside each other and beside each other: a page may include itself twice.
constexpr int kMostInclusions = 1000;
// Of one request, asked for before it is their turn. A page that waits for none may always ask for one.
constexpr std::size_t kMostAtOnce = 16;

// What a query may not hold as it is becomes %XX.
std::string escape_url(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && std::string_view("\"%<>?#").find(c) == std::string_view::npos) out.push_back(c);
    else out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

std::string encoded(const std::string& value, const std::string* encoding) {
  if (!encoding || *encoding == "entity") return escape_html(value);
  if (*encoding == "none") return value;
  if (*encoding == "url") return escape_url(value);
  throw CommandError("unknown encoding \"" + *encoding + "\" in the \"echo\" command");
}

std::string folder_of(const std::string& uri) { return uri.substr(0, uri.rfind('/') + 1); }

}  // namespace

Task<Result<Piece>> Page::read() {
  for (;;) {
    work_off();
    if (parts_.empty() && !ended_) {
      Result<Piece> piece = co_await body_->read();
      if (!piece) co_return piece.error();
      ended_ = piece->last;
      parser_.add(piece->data.view(), ended_, tokens_);
      if (piece->data.empty() && !ended_) co_return Piece(Slice(), false);
      continue;
    }
    if (parts_.empty()) co_return Piece(Slice(), true);
    // Text in front of an inclusion goes out first: that may take its time.
    if (!parts_.front().inclusion) {
      std::string out = std::move(parts_.front().text);
      parts_.pop_front();
      work_off();
      if (!out.empty() || is_at_end()) co_return Piece(Slice::from(std::move(out)), is_at_end());
      continue;
    }
    Result<Piece> piece = co_await read_included();
    if (!piece || piece->last || !piece->data.empty()) co_return piece;
  }
}

// A piece of the inclusion that is first in line; nothing when that has none to show.
Task<Result<Piece>> Page::read_included() {
  Inclusion& inclusion = *parts_.front().inclusion;
  Result<Piece> piece = co_await inclusion.body.take();
  if (!piece) co_return piece;
  std::string out;
  if (!take_included(inclusion, piece->data, out)) {
    x_.log(Level::error, "too big subrequest response");
    x_.main().abort();
    co_return Errc::exhausted;
  }
  if (piece->last) end_inclusion();
  work_off();
  co_return Piece(Slice::from(std::move(out)), is_at_end());
}

bool Page::may_go_on() const {
  const bool may_ask = inclusions_ == 0 || x_.main().state<Ssi>().under_way < kMostAtOnce;
  return !tokens_.empty() && !waits_ && may_ask && (parts_.empty() || parts_.back().text.size() < kPiece);
}

// Where text goes: behind all that is in line.
std::string& Page::text() {
  if (parts_.empty() || parts_.back().inclusion) parts_.emplace_back();
  return parts_.back().text;
}

void Page::work_off() {
  while (may_go_on()) {
    const Token token = std::move(tokens_.front());
    tokens_.pop_front();
    if (block_ && token.command != "endblock") {
      keep(token.text);
    } else if (token.kind == Token::Kind::text) {
      if (shows()) text() += token.text;
    } else {
      try {
        obey(token);
      } catch (const CommandError& error) {
        x_.log(Level::error, error.what());
        if (!*conf_.silent_errors) text() += error_message_;
      }
    }
  }
}

// Of a block too long nothing more is kept, and the log says it once.
void Page::keep(const std::string& text) {
  State& state = x_.main().state<Ssi>();
  if (block_ == &dropped_ || block_->size() > kLargestValue || state.held > kMostHeld) return;
  *block_ += text;
  state.held += text.size();
  if (block_->size() > kLargestValue) x_.log(Level::error, "too long a block in an SSI page");
  else if (state.held > kMostHeld) x_.log(Level::error, kTooMuch);
}

void Page::put(Texts State::*texts, const std::string& name, std::string value) {
  State& state = x_.main().state<Ssi>();
  if (!state.put(state.*texts, name, std::move(value))) throw CommandError(kTooMuch);
}

void Page::obey(const Token& token) {
  // Of what is not shown only the conditions count, so that the right one ends.
  static constexpr std::string_view conditions[] = {"if", "elif", "else", "endif"};
  if (!shows() && std::find(std::begin(conditions), std::end(conditions), token.command) == std::end(conditions)) return;
  const Command command(token, static_cast<std::size_t>(*conf_.value_length));
  switch (command.id) {
    case CommandId::include: return include(command);
    case CommandId::echo: return echo(command);
    case CommandId::config: return configure(command);
    case CommandId::set:
      return put(&State::variables, lower(*command.find("var")), evaluate(x_, conf_, *command.find("value")));
    case CommandId::block:
      block_ = &dropped_;  // unless there is room for it
      put(&State::blocks, *command.find("name"), {});
      block_ = &x_.main().state<Ssi>().blocks[*command.find("name")];
      return;
    case CommandId::endblock: block_ = nullptr; return;
    default: return decide(command);
  }
}

void Page::decide(const Command& command) {
  if (command.id == CommandId::if_) {
    const bool reached = shows();
    const bool holds_now = reached && holds(x_, conf_, *command.find("expr"));
    conditions_.push_back({holds_now, holds_now || !reached, false});
    hidden_ += !holds_now;
    return;
  }
  if (conditions_.empty() || (conditions_.back().last && command.id != CommandId::endif))
    throw CommandError("invalid context of SSI command: \"" + command.name() + "\"");
  Condition& condition = conditions_.back();
  hidden_ -= !condition.shows;
  if (command.id == CommandId::endif) return conditions_.pop_back();
  condition.shows = false;
  ++hidden_;
  condition.last = command.id == CommandId::else_;
  if (condition.decided || !(condition.last || holds(x_, conf_, *command.find("expr")))) return;
  condition.shows = condition.decided = true;
  --hidden_;
}

void Page::include(const Command& command) {
  const std::string *uri = command.find("virtual"), *file = command.find("file"), *stub = command.find("stub"),
                    *set = command.find("set"), *wait = command.find("wait");
  if (uri && file) throw CommandError("inclusion may be either virtual=\"" + *uri + "\" or file=\"" + *file + "\"");
  if (!uri && !file) throw CommandError("no parameter in \"include\" SSI command");
  if (set && stub) throw CommandError("\"set\" and \"stub\" cannot be used together in \"include\" SSI command");
  if (wait && !uri) throw CommandError("\"wait\" cannot be used with file=\"" + *file + "\"");
  if (wait && !equals_ignoring_case(*wait, "yes") && !equals_ignoring_case(*wait, "no"))
    throw CommandError("invalid value \"" + *wait + "\" in the \"wait\" parameter");
  std::string target = evaluate(x_, conf_, uri ? *uri : *file);
  if (!target.starts_with('/')) target = folder_of(x_.uri) + target;
  const auto question = std::min(target.find('?'), target.size());
  Result<std::string> path = normalize_path(target.substr(0, question), true);
  if (!path) throw CommandError("unsafe URI \"" + target + "\" was detected");
  auto& blocks = x_.main().state<Ssi>().blocks;
  const auto block = stub ? blocks.find(*stub) : blocks.end();
  if (stub && block == blocks.end()) throw CommandError("\"stub\"=\"" + *stub + "\" for \"include\" not found");
  if (++x_.main().state<Ssi>().inclusions > kMostInclusions) throw CommandError("too many inclusions for one request");
  auto inclusion = std::make_unique<Inclusion>(x_, std::move(*path), target.substr(std::min(question + 1, target.size())));
  if (stub) inclusion->stub = block->second;
  if (set) inclusion->set = lower(*set);
  waits_ = stub || set || (wait && equals_ignoring_case(*wait, "yes"));
  inclusion->body.start();
  parts_.emplace_back().inclusion = std::move(inclusion);
  ++inclusions_;
}

void Page::echo(const Command& command) {
  const auto value = variable(x_, conf_, lower(*command.find("var")));
  const std::string* otherwise = command.find("default");
  text() += encoded(value ? *value : otherwise ? *otherwise : "(none)", command.find("encoding"));
}

void Page::configure(const Command& command) {
  if (const std::string* format = command.find("timefmt")) x_.state<Ssi>().time_format = *format;
  if (const std::string* message = command.find("errmsg")) error_message_ = *message;
}

std::size_t Page::Inclusion::largest_value() const {
  const auto* conf = static_cast<const Conf*>(answer_.location()->settings->get(module_number<Ssi>));
  return static_cast<std::size_t>(*conf->output_buffer_size);
}

bool Page::take_included(Inclusion& inclusion, const Slice& data, std::string& out) {
  // The page of an error is nothing to be shown where there is a stub for it.
  if (data.empty() || (!inclusion.stub.empty() && inclusion.status() >= 400)) return true;
  inclusion.shown = true;
  std::string& to = inclusion.set.empty() ? out : inclusion.value;
  to += data.view();
  return inclusion.set.empty() || to.size() <= inclusion.largest_value();
}

void Page::end_inclusion() {
  const std::unique_ptr<Inclusion> ended = std::move(parts_.front().inclusion);
  parts_.pop_front();
  --inclusions_;
  if (parts_.empty()) waits_ = false;  // what waits, waits for the last in line
  if (!ended->set.empty()) take_value(*ended);
  if (ended->shown || ended->stub.empty()) return;
  // The block may hold commands of its own.
  std::deque<Token> tokens;
  Parser().add(ended->stub, true, tokens);
  tokens_.insert(tokens_.begin(), std::make_move_iterator(tokens.begin()), std::make_move_iterator(tokens.end()));
}

// As in nginx the page of an error is no value: the variable stays what it was, or is empty.
void Page::take_value(Inclusion& ended) {
  State& state = x_.main().state<Ssi>();
  const bool succeeded = ended.status() > 0 && ended.status() < 300;
  if (const auto known = state.variables.find(ended.set); !succeeded)
    ended.value = known == state.variables.end() ? std::string() : known->second;
  if (!state.put(state.variables, ended.set, std::move(ended.value))) x_.log(Level::error, kTooMuch);
}

}  // namespace seawall::ssi
