// The listing as a page.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "formats.h"
#include "seawall/base/text.h"

namespace seawall::autoindex {
namespace {

constexpr std::size_t kColumn = 50;  // characters of a name, the slash of a folder among them

bool is_unreserved(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

// Of one segment of a path: a colon counts, or "javascript:x" would be a scheme.
std::string escape_name(std::string_view name) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c)) out += c;
    else out.append({'%', hex[byte >> 4], hex[byte & 15]});
  }
  return out;
}

// Bytes of the UTF-8 character at the front; 0: it is none.
std::size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

// A name as it is shown: how many characters it has, and where its first 47 end. One that is not UTF-8 has bytes.
class Shown {
 public:
  explicit Shown(std::string_view name) : length(0), cut(name.size()) {
    for (std::size_t at = 0; at < name.size(); ++length) {
      if (length == kColumn - 3) cut = at;
      const std::size_t bytes = character(name.substr(at));
      if (bytes == 0) {
        length = name.size();
        cut = std::min(name.size(), kColumn - 3);
        return;
      }
      at += bytes;
    }
  }
  std::size_t length, cut;
};

void append_name(std::string& page, const Entry& entry) {
  const Shown shown(entry.name);
  if (shown.length > kColumn) {
    page += escape_html(std::string_view(entry.name).substr(0, shown.cut));
    page += "..&gt;</a>";
    return;
  }
  std::size_t length = shown.length;
  page += escape_html(entry.name);
  if (entry.is_folder() && length < kColumn) {
    page += '/';
    ++length;
  }
  page += "</a>";
  page.append(kColumn - length, ' ');
}

void append_time(std::string& page, std::int64_t seconds, bool local) {
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = seconds;
  std::tm t{};
  if (local) ::localtime_r(&time, &t);
  else ::gmtime_r(&time, &t);
  char text[64];
  std::snprintf(text, sizeof text, " %02d-%s-%d %02d:%02d ", t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
                t.tm_min);
  page += text;
}

void append_exact_size(std::string& page, const Entry& entry) {
  char text[32];
  if (entry.is_folder()) std::snprintf(text, sizeof text, "%19s", "-");
  else std::snprintf(text, sizeof text, "%19lld", static_cast<long long>(entry.size));
  page += text;
}

// Rounded to whole units, of the largest of which there is one; kilobytes only from 10,000 bytes on.
void append_rough_size(std::string& page, const Entry& entry) {
  struct Unit {
    std::int64_t from, bytes;
    char letter;
  };
  static constexpr Unit units[] = {{1 << 30, 1 << 30, 'G'}, {1 << 20, 1 << 20, 'M'}, {10'000, 1 << 10, 'K'}};
  char text[32];
  if (entry.is_folder()) {
    page += "      -";
    return;
  }
  for (const Unit& unit : units) {
    if (entry.size < unit.from) continue;
    const auto rounded = entry.size / unit.bytes + (entry.size % unit.bytes >= unit.bytes / 2 ? 1 : 0);
    std::snprintf(text, sizeof text, "%6lld%c", static_cast<long long>(rounded), unit.letter);
    page += text;
    return;
  }
  std::snprintf(text, sizeof text, " %6lld", static_cast<long long>(entry.size));
  page += text;
}

}  // namespace

std::string html_of(const Entries& entries, std::string_view uri, PageStyle style) {
  const std::string title = "Index of " + escape_html(uri);
  std::string page = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<h1>" + title +
                     "</h1><hr><pre><a href=\"../\">../</a>\r\n";
  for (const Entry& entry : entries) {
    page.append("<a href=\"").append(escape_name(entry.name)).append(entry.is_folder() ? "/\">" : "\">");
    append_name(page, entry);
    append_time(page, entry.modified, style.local_time);
    if (style.exact_size) append_exact_size(page, entry);
    else append_rough_size(page, entry);
    page += "\r\n";
  }
  return page += "</pre><hr></body>\r\n</html>\r\n";
}

}  // namespace seawall::autoindex
