#include "seawall/http/status.h"

#include <algorithm>
#include <iterator>

namespace seawall {
namespace {

struct Row {
  int status;
  std::string_view title;  // "404 Not Found"
  bool page;
};

// Sorted by status.
constexpr Row kRows[] = {
    {100, "100 Continue", false}, {101, "101 Switching Protocols", false}, {103, "103 Early Hints", false},
    {200, "200 OK", false}, {201, "201 Created", false}, {202, "202 Accepted", false}, {204, "204 No Content", false},
    {206, "206 Partial Content", false}, {207, "207 Multi-Status", false}, {300, "300 Multiple Choices", true},
    {301, "301 Moved Permanently", true}, {302, "302 Found", true}, {303, "303 See Other", true},
    {304, "304 Not Modified", false}, {307, "307 Temporary Redirect", true}, {308, "308 Permanent Redirect", true},
    {400, "400 Bad Request", true}, {401, "401 Authorization Required", true}, {402, "402 Payment Required", true},
    {403, "403 Forbidden", true}, {404, "404 Not Found", true}, {405, "405 Not Allowed", true},
    {406, "406 Not Acceptable", true}, {407, "407 Proxy Authentication Required", true},
    {408, "408 Request Time-out", true}, {409, "409 Conflict", true},
    {410, "410 Gone", true}, {411, "411 Length Required", true}, {412, "412 Precondition Failed", true},
    {413, "413 Request Entity Too Large", true}, {414, "414 Request-URI Too Large", true},
    {415, "415 Unsupported Media Type", true}, {416, "416 Requested Range Not Satisfiable", true},
    {421, "421 Misdirected Request", true}, {425, "425 Too Early", true}, {429, "429 Too Many Requests", true},
    {494, "400 Request Header Or Cookie Too Large", true}, {495, "400 The SSL certificate error", true},
    {496, "400 No required SSL certificate was sent", true},
    {497, "400 The plain HTTP request was sent to HTTPS port", true}, {500, "500 Internal Server Error", true},
    {501, "501 Not Implemented", true}, {502, "502 Bad Gateway", true}, {503, "503 Service Temporarily Unavailable", true},
    {504, "504 Gateway Time-out", true}, {505, "505 HTTP Version Not Supported", true}, {507, "507 Insufficient Storage", true}};

const Row* find(int status) {
  const auto* row = std::lower_bound(std::begin(kRows), std::end(kRows), status, [](const Row& r, int s) { return r.status < s; });
  return row != std::end(kRows) && row->status == status ? row : nullptr;
}

}  // namespace

std::string_view reason_phrase(int status) {
  if (status == 401) return "Unauthorized";
  const Row* row = find(public_status(status));
  if (status == 302) return "Moved Temporarily";
  return row ? row->title.substr(4) : std::string_view{};
}

std::string_view page_title(int status) {
  const Row* row = find(status);
  return row && row->page ? row->title : std::string_view{};
}

int public_status(int status) { return status >= 494 && status <= 497 ? 400 : status; }

}  // namespace seawall
