#include "seawall/log/log_line.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>

namespace seawall {
namespace {

constexpr std::size_t kLongestLine = PIPE_BUF;
constexpr std::size_t kLongestMessage = 2048;  // of JSON: the other members want room, too
constexpr std::size_t kLongestValue = 1024;

// A time of the present second, composed once a second and thread.
class SecondText {
 public:
  explicit SecondText(const char* format) : format_(format) {}
  std::string_view of(std::time_t now) {
    if (now == second_) return text_;
    second_ = now;
    tm parts;
    localtime_r(&now, &parts);
    char buffer[40];
    text_.assign(buffer, std::strftime(buffer, sizeof buffer, format_, &parts));
    return text_;
  }

 private:
  const char* format_;
  std::time_t second_ = -1;
  std::string text_;
};

int thread_id() {
  thread_local pid_t process = 0;
  thread_local int id = 0;
  if (process != ::getpid()) {
    process = ::getpid();
    id = static_cast<int>(::syscall(SYS_gettid));
  }
  return id;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Nothing that a client sends may begin a line of its own or move a terminal's cursor. The line stays below `most`.
void append_escaped(std::string& line, std::string_view text, std::size_t most) {
  constexpr std::size_t kEnd = 8;  // an escaped byte, "..." and the line's end
  for (const char c : text) {
    if (line.size() > most - kEnd) {
      line += "...";
      return;
    }
    if (!is_control(c)) line += c;
    else fmt::format_to(std::back_inserter(line), "\\x{:02X}", static_cast<unsigned char>(c));
  }
}

// The length of the UTF-8 character that begins here; 0: it is none, or one that moves cursors (C1).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0u) == 0x80; };
  const unsigned first = at(0);
  if (first < 0x80) return is_control(text[0]) ? 0 : 1;
  if (first >= 0xc2 && first < 0xe0) return follows(1) && (first > 0xc2 || at(1) >= 0xa0) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool shortest = first != 0xe0 || at(1) >= 0xa0, surrogate = first == 0xed && at(1) >= 0xa0;
    return follows(1) && follows(2) && shortest && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool shortest = first != 0xf0 || at(1) >= 0x90, too_large = first == 0xf4 && at(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && shortest && !too_large ? 4 : 0;
  }
  return 0;
}

// A member with a text, of at most `most` bytes and never beyond the line's end; none where there is hardly room.
void append_member(std::string& line, std::string_view name, std::string_view text, std::size_t most) {
  constexpr std::size_t kEnd = 12;  // the longest escape, "...", a quote, the brace and the line's end
  const std::size_t begin = line.size() + name.size() + 6;
  if (begin + 2 * kEnd > kLongestLine) return;
  line.append(",\"").append(name).append("\":\"");
  const std::size_t until = std::min(kLongestLine, begin + most) - kEnd;
  while (!text.empty()) {
    if (line.size() > until) {
      line += "...";
      break;
    }
    const std::size_t length = utf8_length(text);
    if (length == 0) fmt::format_to(std::back_inserter(line), "\\\\x{:02X}", static_cast<unsigned char>(text[0]));
    else if (text[0] == '"' || text[0] == '\\') line.append("\\").append(text.substr(0, 1));
    else line.append(text.substr(0, length));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  line += '"';
}

}  // namespace

std::string text_line(Level level, const LogAbout& about, std::string_view message, bool with_request_id) {
  thread_local SecondText time("%Y/%m/%d %H:%M:%S");
  std::string line = fmt::format("{} [{}] {}#{}: ", time.of(std::time(nullptr)), name_of(level), ::getpid(), thread_id());
  if (about.connection) fmt::format_to(std::back_inserter(line), "*{} ", about.connection);
  std::string end;
  if (with_request_id && !about.request_id.empty()) end = fmt::format(", request id: \"{}\"", about.request_id);
  std::string whole(message);
  for (const LogField& field : about.fields) {
    const char* const quote = field.quoted ? "\"" : "";
    whole.append(", ").append(field.name).append(": ").append(quote).append(field.value).append(quote);
  }
  append_escaped(line, whole, kLongestLine - end.size());
  return line += end += '\n';
}

std::string json_line(Level level, const LogAbout& about, std::string_view message) {
  thread_local SecondText time("%Y-%m-%dT%H:%M:%S"), zone("%z");
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::string_view offset = zone.of(now.tv_sec);
  std::string line = fmt::format("{{\"time\":\"{}.{:03}{}:{}\",\"level\":\"{}\",\"pid\":{},\"tid\":{}", time.of(now.tv_sec),
                                 now.tv_nsec / 1'000'000, offset.substr(0, 3), offset.substr(3), name_of(level), ::getpid(), thread_id());
  if (about.connection) fmt::format_to(std::back_inserter(line), ",\"connection\":{}", about.connection);
  if (!about.request_id.empty()) append_member(line, "request_id", about.request_id, kLongestValue);
  if (!about.trace_id.empty()) append_member(line, "trace_id", about.trace_id, kLongestValue);
  if (!about.span_id.empty()) append_member(line, "span_id", about.span_id, kLongestValue);
  append_member(line, "message", message, kLongestMessage);
  for (const LogField& field : about.fields) append_member(line, field.name, field.value, kLongestValue);
  return line += "}\n";
}

}  // namespace seawall
