#include "seawall/http/h1_response.h"

#include <charconv>
#include <cstring>

#include "seawall/base/bytes.h"
#include "seawall/http/date.h"
#include "seawall/http/status.h"

namespace seawall {
namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  out.append(digits, end);
}

void append_clean(std::string& out, std::string_view text) {
  if (!has_control(text)) {
    out.append(text);
    return;
  }
  for (char c : text)
    if (c != '\r' && c != '\n' && c != 0) out += c;
}

void append_fields(std::string& out, const Headers& headers) {
  for (const Field& field : headers.all()) {
    if (field.id == FieldId::server && field.value.empty()) continue;  // no field at all: nobody knows who answers
    append_clean(out, field.name);
    out.append(": ", 2);
    append_clean(out, field.value);
    out.append("\r\n", 2);
  }
}

}  // namespace

void append_head(std::string& out, const ResponseHeadInfo& info, const Headers& headers) {
  if (info.status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(info.status));
    out.append(" ").append(reason_phrase(info.status)).append("\r\n");
  }
  if (!info.server.empty() && !headers.has(FieldId::server)) out.append("Server: ").append(info.server).append("\r\n");
  if (!headers.has(FieldId::date)) out.append("Date: ").append(current_date()).append("\r\n");
  append_fields(out, headers);
  if (info.content_length) {
    out.append("Content-Length: ");
    append_number(out, *info.content_length);
    out.append("\r\n");
  }
  if (info.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (info.upgrade) out.append("Connection: upgrade\r\n");
  else out.append(info.keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
  if (info.keep_alive && info.keep_alive_timeout.count() > 0) {
    out.append("Keep-Alive: timeout=");
    append_number(out, static_cast<std::uint64_t>(info.keep_alive_timeout.count() / 1000));
    out.append("\r\n");
  }
  out.append("\r\n", 2);
}

void append_chunk_header(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out.append("\r\n");
}

void append_last_chunk(std::string& out, const Headers& trailers) {
  out.append("0\r\n");
  append_fields(out, trailers);
  out.append("\r\n");
}

}  // namespace seawall
