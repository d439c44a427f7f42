// The listing as data: JSON and XML.
#include <cstdio>
#include <ctime>

#include "formats.h"
#include "seawall/base/text.h"
#include "seawall/http/date.h"

namespace seawall::autoindex {
namespace {

std::string escape_json(std::string_view text) {
  static constexpr std::string_view controls = "\b\f\n\r\t", letters = "bfnrt";
  std::string out;
  for (const char c : text) {
    if (const auto known = controls.find(c); known != std::string_view::npos) {
      out.append({'\\', letters[known]});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
      out += escape;
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string iso_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm t{};
  ::gmtime_r(&time, &t);
  char text[64];
  std::snprintf(text, sizeof text, "%4d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                t.tm_min, t.tm_sec);
  return text;
}

}  // namespace

std::string json_of(const Entries& entries) {
  std::string out = "[";
  for (const Entry& entry : entries) {
    if (&entry != &entries.front()) out += ',';
    out.append("\r\n{ \"name\":\"").append(escape_json(entry.name)).append("\", \"type\":\"").append(entry.type_name());
    out.append("\", \"mtime\":\"").append(http_date(entry.modified)).append("\"");
    if (entry.is_file()) out.append(", \"size\":").append(std::to_string(entry.size));
    out += " }";
  }
  return out += "\r\n]";
}

std::string xml_of(const Entries& entries) {
  std::string out = "<?xml version=\"1.0\"?>\r\n<list>\r\n";
  for (const Entry& entry : entries) {
    out.append("<").append(entry.type_name()).append(" mtime=\"").append(iso_time(entry.modified));
    if (entry.is_file()) out.append("\" size=\"").append(std::to_string(entry.size));
    out.append("\">").append(escape_html(entry.name)).append("</").append(entry.type_name()).append(">\r\n");
  }
  return out += "</list>\r\n";
}

}  // namespace seawall::autoindex
