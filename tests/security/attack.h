// Attacks byte by byte: each goes to a server of its own, must be refused with nginx's page and a close, with nothing of
// what follows it answered, and must leave a server that serves the next client.
#pragma once
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"

namespace test {

// `/` answers without looking at the body, `/body` with the body.
inline const std::string kTarget = R"(
  server {
    listen 127.0.0.1:%%PORT_0%%;
    location / { return 200 "served $host $uri"; }
    location /body { probe_read on; }
  })";

// What an attacker hopes to get answered as a request of its own.
inline const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

inline std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 300)) {
    if (c == '\r') text += "\\r";
    else if (c == '\n') text += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) text += "\\" + std::to_string(static_cast<unsigned char>(c));
    else text += c;
  }
  return text;
}

inline void check_honest(const Server& s) {
  const Response r = get(s.url("/honest"));
  CHECK(r.status == 200);
  CHECK(r.body == "served 127.0.0.1 /honest");
}

// Refused with this page, the connection closed behind it, nothing else answered.
inline void check_refused(const Server& s, std::string_view bytes, const std::string& title = "400 Bad Request") {
  INFO(printable(bytes));
  RawClient c(s.port());
  c.send(bytes);
  const Response r = c.read_response();
  CHECK(std::to_string(r.status) == title.substr(0, 3));
  CHECK(r.body == default_page(title));
  CHECK(r.header("Content-Type") == "text/html");
  CHECK(r.header("Connection") == "close");
  CHECK(c.read_all() == "");
}

inline void refuses(std::initializer_list<std::string_view> attacks, const std::string& title = "400 Bad Request") {
  Server s(with_probe(kTarget));
  for (const std::string_view bytes : attacks) check_refused(s, bytes, title);
  check_honest(s);
}

// Answered as one request; then the connection is as good as new.
inline Response answered(const Server& s, std::string_view bytes) {
  INFO(printable(bytes));
  RawClient c(s.port());
  c.send(bytes);
  Response r = c.read_response();
  c.send("GET /next HTTP/1.1\r\nHost: next.test\r\nConnection: close\r\n\r\n");
  CHECK(c.read_response().body == "served next.test /next");
  CHECK(c.read_all() == "");
  return r;
}

// A request for this target, or with these lines behind Host.
inline std::string get_target(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
inline std::string get_with(std::string_view lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"; }
inline std::string post_with(std::string_view lines, std::string_view body) {
  return "POST /body HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

}  // namespace test
