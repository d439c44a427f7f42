// Variables as a log line has them: counted when the response is out.
#include <ctime>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/probe.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;

namespace {

// A server whose log has one line of `format` for each request.
std::string logging(const std::string& format, const std::string& locations) {
  return "log_format f '" + format + "'; access_log a.log f; server { listen 127.0.0.1:%%PORT_0%%; " + locations + " }";
}

std::string talk(const Server& s, const std::string& request) {
  RawClient c(s.port());
  c.send(request);
  return c.read_all();
}

}  // namespace

TEST_CASE("$bytes_sent and $body_bytes_sent are what the client got") {
  Server s(logging("$request_method $uri $status $bytes_sent $body_bytes_sent", "root %%DIR%%; location /text { return 200 hello; }"),
           {{"file", std::string(100'000, 'x')}});
  struct Case {
    std::string method, target, fields, status;
  };
  for (const Case& c : {Case{"GET", "/text", "", "200"}, {"HEAD", "/text", "", "200"}, {"GET", "/file", "", "200"},
                        {"HEAD", "/file", "", "200"}, {"GET", "/none", "", "404"}, {"GET", "/file", "Range: bytes=10-19\r\n", "206"},
                        {"GET", "/file", "If-None-Match: *\r\n", "304"}}) {
    const std::string all = talk(s, c.method + " " + c.target + " HTTP/1.1\r\nHost: a\r\n" + c.fields + "Connection: close\r\n\r\n");
    const auto body = all.size() - all.find("\r\n\r\n") - 4;
    CHECK(s.wait_for_log("^" + c.method + " " + c.target + " (" + c.status + ") " + std::to_string(all.size()) + " " +
                         std::to_string(body) + "$", "a.log"));
  }
}

TEST_CASE("$body_bytes_sent counts the framing of chunks, as the client got it") {
  Server s(with_probe(logging("$bytes_sent $body_bytes_sent", "location / { probe_stream 3 10; }")));
  const std::string all = talk(s, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto body = all.size() - all.find("\r\n\r\n") - 4;
  CHECK(body > 30);
  CHECK(s.wait_for_log("^" + std::to_string(all.size()) + " " + std::to_string(body) + "$", "a.log"));
}

TEST_CASE("$request_length is all that the request took, chunks included") {
  Server s(with_probe(logging("$request_length", "location / { probe_read on; }")));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  for (const std::string& request : {"GET / HTTP/1.0\r\nX-Long: " + std::string(2000, 'x') + "\r\n\r\n",
                                     head + "Content-Length: 5\r\n\r\nhello",
                                     head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"}) {
    talk(s, request);
    CHECK(s.wait_for_log("^" + std::to_string(request.size()) + "$", "a.log"));
  }
}

TEST_CASE("$connection counts connections, $connection_requests their requests, $pipe those that came early") {
  Server s(logging("$connection $connection_requests $pipe $uri", "location / { return 204; }"));
  RawClient c(s.port());
  c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == 204);
  CHECK(c.read_response().status == 204);
  c.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == 204);
  talk(s, "GET /4 HTTP/1.0\r\n\r\n");
  CHECK(s.wait_for_log("^2 1 \\. /4$", "a.log"));
  CHECK(s.read("a.log") == "1 1 . /1\n1 2 p /2\n1 3 . /3\n2 1 . /4\n");
}

TEST_CASE("$request_time runs from the first byte to the end of the response") {
  Server s(with_probe(logging("$uri $request_time", "location / { return 204; } location /wait { probe_wait 120ms; probe_stream 1 5; }")));
  talk(s, "GET /wait HTTP/1.0\r\n\r\n");
  CHECK(s.wait_for_log("^/wait ([1-9][0-9]*\\.[0-9]{3}|0\\.[1-9][0-9]{2})$", "a.log"));
  RawClient c(s.port());
  c.send("G");
  RawClient other(s.port());  // by its answer the first byte has been seen
  other.send("GET /wait HTTP/1.0\r\n\r\n");
  other.read_all();
  c.send("ET /slow HTTP/1.0\r\n\r\n");
  c.read_all();
  CHECK(s.wait_for_log("^/slow ([1-9][0-9]*\\.[0-9]{3}|0\\.[1-9][0-9]{2})$", "a.log"));
}

TEST_CASE("$msec, $time_local and $time_iso8601 say the same moment") {
  Server s(logging("$msec|$time_local|$time_iso8601", "location / { return 204; }"));
  const std::time_t before = std::time(nullptr);
  talk(s, "GET / HTTP/1.0\r\n\r\n");
  CHECK(s.wait_for_log("^[0-9]+\\.[0-9]{3}\\|.*T.*$", "a.log"));
  const std::string line = s.read("a.log");
  const std::time_t said = std::stoll(line);
  CHECK(said >= before);
  CHECK(said <= std::time(nullptr));
  tm local{};
  const auto bar = line.find('|');
  REQUIRE(::strptime(line.c_str() + bar + 1, "%d/%b/%Y:%H:%M:%S %z", &local) != nullptr);
  CHECK(std::abs(::timegm(&local) - local.tm_gmtoff - said) <= 1);
  tm iso{};
  REQUIRE(::strptime(line.c_str() + line.find('|', bar + 1) + 1, "%Y-%m-%dT%H:%M:%S", &iso) != nullptr);
  CHECK(std::abs(::timegm(&iso) - local.tm_gmtoff - said) <= 1);
}

TEST_CASE("$request_id is the same in the response and in the log") {
  Server s(logging("$request_id", "add_header X-Id $request_id; location / { return 200 x; }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string id = c.read_response().header("X-Id");
  CHECK(id.size() == 32);
  CHECK(s.wait_for_log("^" + id + "$", "a.log"));
}

TEST_CASE("$request_completion and $status tell of a client that left") {
  Server s(with_probe(logging("$uri $status $request_completion.", "location / { return 204; } location /wait { probe_wait 1h; probe_stream 1 5; }")));
  talk(s, "GET / HTTP/1.0\r\n\r\n");
  CHECK(s.wait_for_log("^/ 204 OK\\.$", "a.log"));
  RawClient(s.port()).send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(s.wait_for_log("^/wait 499 \\.$", "a.log"));
}

TEST_CASE("a client that leaves over TLS is noticed while a handler waits") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto made = make_certificate({"localhost"});
  Server s(with_probe("log_format f \"$uri $status\"; server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; "
                      "ssl_certificate_key a.key; access_log a.log f; location /wait { probe_wait 1h; probe_stream 1 5; } }"),
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  RawClient c(s.port());
  c.start_tls({.min_version = version, .max_version = version});
  c.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  c.half_close();
  CHECK(s.wait_for_log("^/wait 499$", "a.log"));
}

TEST_CASE("$remote_user, fields and cookies of a request that has none are a dash") {
  Server s(logging("$remote_user $http_x $cookie_x $arg_x $sent_http_x $sent_trailer_x $content_type $content_length", "location / { return 204; }"));
  talk(s, "GET / HTTP/1.0\r\n\r\n");
  CHECK(s.wait_for_log("^- - - - - - - -$", "a.log"));
}
