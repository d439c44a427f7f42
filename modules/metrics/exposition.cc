#include "exposition.h"

#include <charconv>
#include <cmath>
#include <span>

namespace seawall::metrics {
namespace {

// In label values and help: backslash, line feed and, in values, the quote.
void append_escaped(std::string_view text, bool quoted, std::string& out) {
  for (const char c : text) {
    if (c == '\\') out += "\\\\";
    else if (c == '\n') out += "\\n";
    else if (c == '"' && quoted) out += "\\\"";
    else out += c;
  }
}

void append_number(double value, std::string& out) {
  char text[32];
  const bool whole = std::floor(value) == value && std::fabs(value) < 9e15;
  const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)) : std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

// One line: NAME{LABELS} VALUE; `bound` is that of a bucket.
void append_line(std::string_view name, std::string_view suffix, const Sample& sample, const char* bound, double value, std::string& out) {
  out.append(name).append(suffix);
  const char* between = "{";
  const auto label = [&](std::string_view label_name, std::string_view label_value) {
    out.append(between).append(label_name).append("=\"");
    append_escaped(label_value, true, out);
    out += '"';
    between = ",";
  };
  for (const Label& l : sample.labels) label(l.name, l.value);
  if (bound) label("le", bound);
  if (*between == ',') out += '}';
  out += ' ';
  append_number(value, out);
  out += '\n';
}

void append_histogram(const Family& family, const Sample& sample, std::string& out) {
  for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
    std::string bound = "+Inf";
    if (i < family.bounds.size()) append_number(family.bounds[i], bound = "");
    append_line(family.name, "_bucket", sample, bound.c_str(), static_cast<double>(sample.buckets[i]), out);
  }
  append_line(family.name, "_sum", sample, nullptr, sample.value, out);
  append_line(family.name, "_count", sample, nullptr, static_cast<double>(sample.buckets.back()), out);
}

void append_family(const Family& family, Format format, std::string& out) {
  static constexpr const char* kTypes[] = {"counter", "gauge", "histogram"};
  const bool counts = family.type == MetricType::counter;
  const std::string name = family.name + (counts && format == Format::prometheus ? "_total" : "");
  out.append("# HELP ").append(name).append(" ");
  append_escaped(family.help, format == Format::openmetrics, out);
  out.append("\n# TYPE ").append(name).append(" ").append(kTypes[static_cast<std::size_t>(family.type)]).append("\n");
  for (const Sample& sample : family.samples) {
    if (family.type == MetricType::histogram) append_histogram(family, sample, out);
    else append_line(family.name, counts ? "_total" : "", sample, nullptr, sample.value, out);
  }
}

}  // namespace

std::string exposition(const Gathering& gathered, Format format) {
  std::string out;
  for (const Family& family : gathered.families())
    if (!family.samples.empty()) append_family(family, format, out);
  if (format == Format::openmetrics) out += "# EOF\n";
  return out;
}

const char* content_type_of(Format format) {
  return format == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace seawall::metrics
