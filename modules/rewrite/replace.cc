#include "replace.h"

#include <cctype>

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/named_captures.h"

namespace seawall::rewrite {
namespace {

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("$scheme");
}

// What a capture may not bring into a Location or into arguments: it would end, split or begin something.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && std::string_view("#%&+;?\"").find(c) == std::string_view::npos) out.push_back(c);
    else out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
}

// nginx's quoted_uri and plus_in_uri: where the client has escaped nothing a path is in Location what it was.
bool was_escaped(const Exchange& x) { return x.request.raw_path.find_first_of("%+") != std::string_view::npos; }

// Escapes of what may stand in a Location as it is (nginx: from '&' on) are written out, until a '?' begins the arguments.
void append_unescaped(std::string& out, std::string_view text, bool& in_path) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = in_path && text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    const int byte = escape ? hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]) : static_cast<unsigned char>(text[i]);
    if (escape && (byte <= '%' || byte >= 0x7f)) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(byte);
    if (escape) i += 2;
    if (byte == '?') in_path = false;
  }
}

// Of values that come from a request a path may be made that leads out of the root. Behind a '?' (of $request_uri) stands no path.
bool leaves_root(std::string_view uri) {
  const std::string_view path = uri.substr(0, uri.find('?'));
  for (std::size_t at = path.find(".."); at != path.npos; at = path.find("..", at + 1)) {
    const bool begins = at == 0 || path[at - 1] == '/';
    const bool ends = at + 2 == path.size() || path[at + 2] == '/';
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

Replacement::Replacement(std::string_view text, const Invocation& in) : whole_(in.compile(text)) {
  std::string plain;
  const auto end_plain = [&] {
    if (!plain.empty()) pieces_.push_back({in.compile(plain), -1});
    plain.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool braced = text.substr(i).starts_with("${") && i + 3 < text.size() && text[i + 3] == '}';
    const std::size_t digit = i + (braced ? 2 : 1);
    if (text[i] != '$' || digit >= text.size() || !std::isdigit(static_cast<unsigned char>(text[digit]))) {
      plain.push_back(text[i]);
      continue;
    }
    end_plain();
    pieces_.push_back({Template(), text[digit] - '0'});
    i = digit + (braced ? 1 : 0);
  }
  end_plain();
}

std::string Replacement::escaped(Exchange& x) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.capture < 0) piece.text.append(x, out);
    else append_escaped(out, x.captures.get(piece.capture));
  }
  return out;
}

std::string Replacement::for_location(Exchange& x) const {
  std::string out;
  bool in_path = true;
  const bool escapes = was_escaped(x);
  for (const Piece& piece : pieces_) {
    if (piece.capture >= 0 && escapes) append_escaped(out, x.captures.get(piece.capture));
    else if (piece.capture >= 0) out += x.captures.get(piece.capture);
    else append_unescaped(out, piece.text.eval(x), in_path);
  }
  return out;
}

Replace::Replace(const Invocation& in) {
  regex_ = Regex::compile(in.arg(0));
  define_named_captures(*regex_, in.binder.variables());
  std::string_view text = in.arg(1);
  if (is_url(text)) status_ = 302;
  if (in.args().size() > 2) {
    const std::string& flag = in.arg(2);
    if (flag == "last") last_ = true;
    else if (flag == "break") break_ = true;
    else if (flag == "redirect") status_ = 302;
    else if (flag == "permanent") status_ = 301;
    else throw ConfigError("invalid parameter \"" + flag + "\"");
  }
  if (text.ends_with('?')) {
    keeps_args_ = false;
    text.remove_suffix(1);
  }
  const std::size_t question = text.find('?');
  has_args_ = question != text.npos;
  path_ = Replacement(text.substr(0, question), in);
  if (has_args_) args_ = Replacement(text.substr(question + 1), in);
}

Outcome Replace::run(Exchange& x, Progress& progress) const {
  const auto matched = regex_->match(x.uri, &x.captures);
  if (matched == Regex::Outcome::failed) {
    x.log(Level::error, "a match limit was hit by \"" + regex_->pattern() + "\"");
    return Response(500);
  }
  if (progress.logs)
    x.log(Level::notice, "\"" + regex_->pattern() + "\" " + (matched == Regex::Outcome::matched ? "matches" : "does not match") + " \"" + x.uri + "\"");
  if (matched == Regex::Outcome::no_match) {
    x.captures.clear();  // as in nginx: $1 of an earlier match is gone
    return Next{};
  }
  keep_named_captures(x, *regex_, x.captures);
  return status_ ? redirect(x) : move(x, progress);
}

// Those written, then the request's own.
std::string Replace::new_args(Exchange& x) const {
  std::string args = args_.escaped(x);
  if (!keeps_args_ || x.args.empty()) return args;
  if (has_args_) args += '&';
  return args + x.args;
}

Outcome Replace::redirect(Exchange& x) const {
  std::string to = path_.for_location(x);
  const std::string args = new_args(x);
  if (has_args_ || !args.empty()) to += "?" + args;
  Response response(status_);
  response.headers.set("Location", absolute_location(x, without_controls(to)));
  return response;
}

Outcome Replace::move(Exchange& x, Progress& progress) const {
  std::string to = path_.plain(x);
  if (to.empty() || leaves_root(to) || to.find('\0') != to.npos) {
    x.log(Level::error, to.empty() ? "the rewritten URI has a zero length" : "the rewritten URI \"" + to + "\" would lead out of the root");
    return Response(500);
  }
  x.args = new_args(x);
  x.uri = std::move(to);
  x.internal = true;  // as in nginx: internal locations may be reached
  if (progress.logs) x.log(Level::notice, "rewritten data: \"" + x.uri + "\", args: \"" + x.args + "\"");
  x.uri_changed_here = true;
  progress.stopped = last_ || break_;
  progress.changed = !break_;
  return Next{};
}

}  // namespace seawall::rewrite
