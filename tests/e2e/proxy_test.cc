// proxy_pass to scripted upstreams: what they hear, what the client gets, and who is asked next.
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <future>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string ok(std::string_view body, std::string_view fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Answers every request of a connection with the head that came, as a body.
void echo(RawClient& c) {
  for (;;) {
    std::string head;
    try {
      head = c.read_until("\r\n\r\n");
    } catch (const std::exception&) {
      return;  // closed
    }
    const auto length = head.find("Content-Length: ");
    if (length != std::string::npos) head += c.read(std::strtoul(head.c_str() + length + 16, nullptr, 10));
    c.send(ok(head));
  }
}

// Answers one request and closes.
auto answer(std::string text) {
  return [text](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send(text);
  };
}

std::string server(std::string_view location, std::string_view outside = {}) {
  return std::string(outside) + " server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; " + std::string(location) + " }";
}

std::string pass_to(const Upstream& up, std::string_view more = {}) {
  return server("location / { proxy_pass " + up.url() + "; " + std::string(more) + " }");
}

}  // namespace

TEST_CASE("proxy_pass passes the request on and the response back") {
  Upstream up(answer(ok("hello", "X-Made-By: upstream\r\nServer: other\r\nContent-Type: text/html\r\n")));
  Server s(pass_to(up));
  const Response r = get(s.url("/a%20b?x=1"));
  CHECK(r.status == 200);
  CHECK(r.body == "hello");
  CHECK(r.header("X-Made-By") == "upstream");
  CHECK(r.header("Content-Length") == "5");
  CHECK(r.count("Server") == 1);
  CHECK(r.header("Server") != "other");
}

TEST_CASE("proxy_pass says whom it asks for, and nothing of the client's connection") {
  Upstream up(echo);
  Server s(pass_to(up));
  RawClient c(s.port());
  c.send("GET /a%20b//c?x=%31 HTTP/1.1\r\nHost: site.test\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
         "Proxy-Connection: x\r\nUpgrade: h2c\r\nX-Kept: yes\r\n\r\n");
  const std::string body = c.read_response().body;
  CHECK_THAT(body, ContainsSubstring("GET /a%20b//c?x=%31 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(up.port()) + "\r\n"));
  CHECK_THAT(body, ContainsSubstring("X-Kept: yes\r\n"));
  for (const char* name : {"Connection:", "X-Private", "Keep-Alive", "TE:", "Upgrade"}) CHECK(body.find(name) == std::string::npos);
}

TEST_CASE("a URI in proxy_pass takes the place of the location's name") {
  Upstream up(echo);
  Server s(server("location /api/ { proxy_pass " + up.url() + "/v2/; } location = /one { proxy_pass " + up.url() + "/two?; }"
                  " location /set/ { rewrite ^/set/(.*)$ /set/moved/$1 break; proxy_pass " + up.url() + "/never/; }"));
  CHECK_THAT(get(s.url("/api/a%20b?q=1")).body, ContainsSubstring("GET /v2/a%20b?q=1 HTTP/1.1"));
  CHECK_THAT(get(s.url("/one")).body, ContainsSubstring("GET /two? HTTP/1.1"));
  CHECK_THAT(get(s.url("/set/x")).body, ContainsSubstring("GET /set/moved/x HTTP/1.1"));
  CHECK(get(s.url("/api")).status == 301);
}

TEST_CASE("proxy_set_header replaces and removes the client's fields, whatever its values hold") {
  Upstream up(echo);
  Server s(pass_to(up, "proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Gone \"\";"
                       " proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Uri $uri;"));
  const std::string body = get(s.url("/a%0d%0aEvil:%201"), {"Host: Site.Test", "X-Gone: 1", "X-Real-IP: 9.9.9.9", "X-Forwarded-For: 1.2.3.4"}).body;
  CHECK_THAT(body, ContainsSubstring("Host: site.test\r\n"));
  CHECK_THAT(body, ContainsSubstring("X-Real-IP: 127.0.0.1\r\n"));
  CHECK_THAT(body, ContainsSubstring("X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n"));
  CHECK(body.find("X-Gone") == std::string::npos);
  CHECK(body.find("9.9.9.9") == std::string::npos);
  CHECK(body.find("\r\nEvil") == std::string::npos);
}

TEST_CASE("the connections of an upstream block are used again") {
  Upstream up(echo);
  Server s(server("location / { proxy_pass http://u; }", "upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; }"));
  for (int i = 0; i < 3; ++i) CHECK(get(s.url()).status == 200);
  CHECK(up.connections() == 1);
}

TEST_CASE("a connection that the upstream has closed meanwhile costs no request") {
  Upstream up(answer(ok("once")));
  Server s(server("location / { proxy_pass http://u; }", "upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; }"));
  for (int i = 0; i < 5; ++i) CHECK(get(s.url()).body == "once");
}

TEST_CASE("servers of an upstream take turns by weight") {
  const char* const close = "Connection: close\r\n";  // or the next request may meet the end of a kept connection
  Upstream a(answer(ok("a", close))), b(answer(ok("b", close))), c(answer(ok("c", close)));
  const auto line = [](const Upstream& up, const char* more) { return "server 127.0.0.1:" + std::to_string(up.port()) + more + "; "; };
  Server s(server("location / { proxy_pass http://u; }", "upstream u { " + line(a, " weight=2") + line(b, "") + line(c, " backup") + "}"));
  std::string order;
  for (int i = 0; i < 6; ++i) order += get(s.url()).body;
  CHECK(order == "abaaba");
}

TEST_CASE("the next server is asked when one refuses") {
  Upstream up(answer(ok("alive")));
  const std::string dead = std::to_string(free_port());
  Server s(server("location / { proxy_pass http://u; add_header X-Tried $upstream_addr; add_header X-Status $upstream_status; }",
                  "upstream u { server 127.0.0.1:" + dead + "; server 127.0.0.1:" + std::to_string(up.port()) + " backup; }"));
  const Response r = get(s.url());
  CHECK(r.body == "alive");
  CHECK(r.header("X-Tried") == "127.0.0.1:" + dead + ", 127.0.0.1:" + std::to_string(up.port()));
  CHECK(r.header("X-Status") == "502, 200");
  CHECK_THAT(s.error_log(), ContainsSubstring("connect() failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1"));
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream: \"http://127.0.0.1:" + dead + "/\""));
}

TEST_CASE("a POST is sent once, unless it never left") {
  Upstream broken([](RawClient& c) { c.read_until("\r\n\r\n"); }), up(answer(ok("alive")));
  Server s(server("location / { proxy_pass http://u; } location /all { proxy_pass http://u; proxy_next_upstream error non_idempotent; }",
                  "upstream u { server 127.0.0.1:" + std::to_string(broken.port()) + " max_fails=0; server 127.0.0.1:" +
                      std::to_string(up.port()) + " backup; }"));
  Request post;
  post.method = "POST";
  post.body = "x";
  post.url = s.url("/");
  CHECK(fetch(post).status == 502);
  post.url = s.url("/all");
  CHECK(fetch(post).body == "alive");
  CHECK(get(s.url("/")).body == "alive");
}

TEST_CASE("proxy_next_upstream by status") {
  Upstream bad(answer("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbad")), up(answer(ok("good")));
  Server s(server("location / { proxy_pass http://u; proxy_next_upstream http_503; } location /off { proxy_pass http://u; proxy_next_upstream off; }",
                  "upstream u { server 127.0.0.1:" + std::to_string(bad.port()) + " max_fails=0; server 127.0.0.1:" +
                      std::to_string(up.port()) + " backup; }"));
  CHECK(get(s.url("/")).body == "good");
  const Response r = get(s.url("/off"));
  CHECK(r.status == 503);
  CHECK(r.body == "bad");
}

TEST_CASE("no live upstreams") {
  Server s(server("location / { proxy_pass http://u; }", "upstream u { server 127.0.0.1:1 down; }"));
  CHECK(get(s.url()).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("no live upstreams while connecting to upstream"));
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream: \"http://u/\""));
}

TEST_CASE("unix: upstreams") {
  Upstream up(echo);
  Server s(pass_to(up) + " server { listen unix:%%DIR%%/s.sock; location / { return 200 $uri; } }"
           " server { listen 127.0.0.1:%%PORT_1%%; location / { proxy_pass http://unix:%%DIR%%/s.sock:/x/; } }");
  CHECK(get(s.url("/a", 1)).body == "/x/a");
}

TEST_CASE("request bodies: known, chunked, longer than memory, and unbuffered") {
  Upstream up(echo);
  Server s(pass_to(up, "client_body_buffer_size 4k; client_max_body_size 10m; client_body_temp_path %%DIR%%/bodies;") +
           " server { listen 127.0.0.1:%%PORT_1%%; location / { proxy_pass " + up.url() + "; proxy_request_buffering off; } }");
  Request post;
  post.method = "POST";
  post.url = s.url();
  post.body = "small";
  CHECK_THAT(fetch(post).body, ContainsSubstring("Content-Length: 5\r\n"));
  post.body = std::string(1'000'000, 'x');
  CHECK_THAT(fetch(post).body, ContainsSubstring("\r\n\r\n" + *post.body));
  CHECK_THAT(s.error_log(), ContainsSubstring("a client request body is buffered to a temporary file"));
  post.url = s.url("/", 1);
  CHECK_THAT(fetch(post).body, ContainsSubstring("\r\n\r\n" + *post.body));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  const std::string body = c.read_response().body;
  CHECK_THAT(body, ContainsSubstring("Content-Length: 3\r\n"));
  CHECK_THAT(body, ContainsSubstring("\r\n\r\nabc"));
}

TEST_CASE("an unbuffered body reaches the upstream before its end") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.read_until("3\r\nabc\r\n");
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngot1\r\n");
    c.read_until("0\r\n\r\n");
    c.send("3\r\nend\r\n0\r\n\r\n");
  });
  Server s(pass_to(up, "proxy_request_buffering off;"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  c.read_until("got1");
  c.send("0\r\n\r\n");
  c.read_until("end");
  CHECK(up.failure().empty());
}

TEST_CASE("what is here of an unbuffered body goes with the head, in one packet") {
  const auto [first, rest] = GENERATE(table<std::string, std::string>({
      {"Content-Length: 10\r\n\r\n01234", "56789"},
      {"Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", "5\r\n56789\r\n0\r\n\r\n"},
  }));
  std::promise<std::string> heard;
  Upstream up([&](RawClient& c) {
    char data[4096];
    const ssize_t n = ::recv(c.fd(), data, sizeof data, 0);
    heard.set_value(std::string(data, static_cast<std::size_t>(std::max<ssize_t>(n, 0))));
    c.read_until("56789");
    c.send(ok("done"));
  });
  Server s(pass_to(up, "proxy_request_buffering off;"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\n" + first);
  CHECK_THAT(heard.get_future().get(), ContainsSubstring("\r\n\r\n") && ContainsSubstring("01234"));
  c.send(rest);
  CHECK(c.read_response().body == "done");
}

TEST_CASE("a head that is longer than the socket's room does not wait for an unbuffered body") {
  std::promise<void> heard;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    heard.set_value();
    c.read_until("12345");
    c.send(ok("done"));
  });
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_request_buffering off; proxy_socket_sndbuf 4k; }",
                  "large_client_header_buffers 4 64k;"));
  RawClient c(s.port());
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
  for (int i = 0; i < 2; ++i) head += "X-Long: " + std::string(60'000, 'x') + "\r\n";
  c.send(head + "\r\n");
  CHECK(heard.get_future().wait_for(kPatience) == std::future_status::ready);
  c.send("12345");
  CHECK(c.read_response().body == "done");
}

TEST_CASE("an unbuffered body that has come in full is kept for the next server") {
  Upstream up(echo);
  Server s(server("location / { proxy_pass http://u; proxy_request_buffering off; }",
                  "upstream u { server 127.0.0.1:" + std::to_string(free_port()) + "; server 127.0.0.1:" + std::to_string(up.port()) + " backup; }"));
  Request post;
  post.method = "POST";
  post.url = s.url();
  post.body = "all of it";
  CHECK_THAT(fetch(post).body, ContainsSubstring("all of it"));
}

TEST_CASE("proxy_set_body is sent in place of a body that lies in a file") {
  Upstream up(echo);
  const std::string own(7'000, 'o');
  Server s(pass_to(up, "client_body_buffer_size 1k; proxy_set_header Own \"\"; proxy_set_body $http_own$http_own$http_own$http_own$http_own;"));
  Request post;
  post.method = "POST";
  post.url = s.url();
  post.headers = {"Own: " + own};
  post.body = std::string(60'000, 'c');
  CHECK_THAT(fetch(post).body, ContainsSubstring("\r\n\r\n" + own + own + own + own + own));
}

TEST_CASE("proxy_pass_header Date and Server leave the fields to the upstream, also where it says none") {
  Upstream up(answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
  Upstream says(answer(ok("", "Date: passed\r\nServer: passed\r\n")));
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_pass_header Date; proxy_pass_header Server; } location /own { proxy_pass " +
                  up.url() + "; } location /says { proxy_pass " + says.url() + "; proxy_pass_header Date; proxy_pass_header Server; }") +
           " server { listen 127.0.0.1:%%PORT_1%%; http2 on; location / { proxy_pass " + up.url() + "; proxy_pass_header Date; } }");
  const Response none = get(s.url("/"));
  CHECK((none.count("Date") == 0 && none.count("Server") == 0));
  const Response own = get(s.url("/own"));
  CHECK((own.count("Date") == 1 && own.count("Server") == 1));
  CHECK(get(s.url("/says")).header("Date") == "passed");
  H2Client c(s.port(1));
  c.request(1, "/");
  const H2Response r = c.read_response(1);
  CHECK(r.status == 200);
  CHECK(r.header("date").empty());
}

TEST_CASE("an upstream may answer before the upload has ended") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    c.read_all();
  });
  Server s(pass_to(up, "proxy_request_buffering off; client_max_body_size 0;"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nstart");
  const Response r = c.read_response();
  CHECK(r.status == 413);
  CHECK(r.body == "no");
}

TEST_CASE("bodies by length, by chunks and by close come through whole") {
  const std::string big(300'000, 'y');
  Upstream length(answer(ok(big))), close(answer("HTTP/1.0 200 OK\r\n\r\n" + big));
  Upstream chunked([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 300; ++i) c.send("3e8\r\n" + big.substr(0, 1000) + "\r\n");
    c.send("0\r\nX-Sum: 7\r\n\r\n");
  });
  Server s(server("location /l { proxy_pass " + length.url() + "; } location /c { proxy_pass " + chunked.url() +
                  "; proxy_pass_trailers on; } location /x { proxy_pass " + close.url() + "; } location /off { proxy_buffering off; proxy_pass " +
                  length.url() + "; }"));
  for (const char* path : {"/l", "/c", "/x", "/off"}) {
    INFO(path);
    CHECK(get(s.url(path)).body == big);
  }
}

TEST_CASE("a slow client does not hold the upstream: what does not fit into memory goes into a file") {
  const std::string big(5'000'000, 'z');
  std::atomic<bool> done = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + big);
    done = true;
  });
  Server s(pass_to(up, "proxy_temp_path %%DIR%%/temp; sendfile off;"));
  RawClient c(s.port(), "127.0.0.1", 4096);
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.wait_for_log("an upstream response is buffered to a temporary file"));
  CHECK(c.read_response().body == big);
  CHECK(done);
}

TEST_CASE("HEAD, 204 and 304 have no body and leave the connection usable") {
  Upstream up([](RawClient& c) {
    for (;;) {
      std::string head;
      try {
        head = c.read_until("\r\n\r\n");
      } catch (const std::exception&) {
        return;
      }
      if (head.starts_with("HEAD")) c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
      else if (head.starts_with("GET /204")) c.send("HTTP/1.1 204 No Content\r\n\r\n");
      else c.send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    }
  });
  Server s(server("location / { proxy_pass http://u; }", "upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; }"));
  RawClient c(s.port());
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  const Response head = c.read_response(true);
  CHECK(head.header("Content-Length") == "100");
  CHECK(get(s.url("/204")).status == 204);
  CHECK(get(s.url("/304")).status == 304);
  CHECK(up.connections() == 1);
}

TEST_CASE("responses that could be read in two ways, or not at all, are 502") {
  const auto [fields, log] = GENERATE(table<std::string, std::string>(
      {{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "at the same time"},
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "duplicate header line"},
       {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "invalid .Content-Length. header"},
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "unknown .Transfer-Encoding."},
       {"HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n", "upstream sent invalid header"},
       {"SSH-2.0-OpenSSH\r\n\r\n", "no valid HTTP/1.0 header"},
       {"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", "unexpected status 101"},
       {"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), "too big header"},
       {"HTTP/1.1 200 OK\r\nX: ", "prematurely closed connection while reading response header"}}));
  Upstream up(answer(fields));
  Server s(pass_to(up));
  CHECK(get(s.url()).status == 502);
  CHECK(s.wait_for_log(log));
}

TEST_CASE("a response that breaks off is not passed as a whole one") {
  Upstream up(answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  Server s(pass_to(up));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(c.read_all(), ContainsSubstring("\r\n\r\nhalf"));
  CHECK(s.wait_for_log("upstream prematurely closed connection while reading upstream"));
}

TEST_CASE("an upstream that says nothing is given up after proxy_read_timeout") {
  Upstream up([](RawClient& c) { c.read_all(); });
  Server s(pass_to(up, "proxy_read_timeout 200ms;"));
  CHECK(get(s.url()).status == 504);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream timed out (110: Connection timed out) while reading response header from upstream"));
}

TEST_CASE("a client that leaves cancels the upstream") {
  std::atomic<bool> asked = false, closed = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    asked = true;
    closed = c.expect_close(5s);
  });
  {
    Server s(pass_to(up));
    {
      RawClient c(s.port());
      c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      while (!asked) std::this_thread::yield();
    }
    CHECK(s.wait_for_log("client closed connection while"));
  }
  CHECK(up.failure().empty());
  while (!closed) std::this_thread::yield();
  CHECK(closed);
}

TEST_CASE("Upgrade makes a tunnel, with and without two lines of configuration") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhi");
    c.send(c.read(5) + "!");
    c.read_all();
    c.send("bye");
  });
  Server s(server("location / { proxy_pass " + up.url() + "; } location /by-hand { proxy_pass " + up.url() +
                  "; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }"));
  for (const std::string path : {"/", "/by-hand"}) {
    INFO(path);
    RawClient c(s.port());
    c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const std::string head = c.read_until("\r\n\r\n");
    CHECK_THAT(head, ContainsSubstring("HTTP/1.1 101 Switching Protocols"));
    CHECK_THAT(head, ContainsSubstring("Upgrade: websocket"));
    CHECK_THAT(head, ContainsSubstring("Connection: upgrade"));
    CHECK(c.read(2) == "hi");
    c.send("hello");
    CHECK(c.read(6) == "hello!");
    c.half_close();
    CHECK(c.read_all() == "bye");
  }
}

TEST_CASE("h2c is not upgraded to behind the server's back") {
  Upstream up(echo);
  Server s(pass_to(up, "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"));
  CHECK(get(s.url(), {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"}).body.find("h2c") == std::string::npos);
}

TEST_CASE("Location, Refresh and cookies are told in our words") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/app/login?a=1\r\nRefresh: 5; url=http://inner/x\r\n"
           "Set-Cookie: id=1; Domain=inner; Path=/app/; HttpOnly\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n");
  });
  Server s(server("location /site/ { proxy_pass " + up.url() + "/app/; proxy_redirect http://127.0.0.1:9/app/ /site/; proxy_redirect ~^http://(inner)/(.*)$ https://$1.example/$2;"
                  " proxy_cookie_domain inner example.com; proxy_cookie_path /app/ /site/; proxy_cookie_flags id secure samesite=strict nohttponly; }"));
  const Response r = get(s.url("/site/"), {"Host: site.test"});
  CHECK(r.header("Location") == "http://site.test:" + std::to_string(s.port()) + "/site/login?a=1");
  CHECK(r.header("Refresh") == "5; url=https://inner.example/x");
  CHECK(r.header("Set-Cookie") == "id=1; Domain=example.com; Path=/site/; Secure; SameSite=Strict");
  CHECK(r.count("Set-Cookie") == 2);
}

TEST_CASE("X-Accel-Redirect lets a file of ours answer, with the upstream's cookies") {
  Upstream up(answer("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /files/a%20b.txt?q\r\nContent-Type: text/special\r\nSet-Cookie: s=1\r\nContent-Length: 4\r\n\r\nnone"));
  Server s(server("location / { proxy_pass " + up.url() + "; } location /files/ { internal; root %%DIR%%; } location /seen { proxy_pass " + up.url() +
                  "; proxy_ignore_headers X-Accel-Redirect; }"),
           {{"files/a b.txt", "the file"}});
  const Response r = get(s.url("/"));
  CHECK(r.body == "the file");
  CHECK(r.header("Content-Type") == "text/special");
  CHECK(r.header("Set-Cookie") == "s=1");
  CHECK(get(s.url("/files/a%20b.txt")).status == 404);
  CHECK(get(s.url("/seen")).body == "none");
}

TEST_CASE("what came with X-Accel-Redirect is about the file, not about another answer in its place") {
  Upstream first(answer("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /there\r\nContent-Type: image/special\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n"));
  SECTION("another upstream's answer has its own fields") {
    Upstream second(answer("HTTP/1.1 200 OK\r\nContent-Type: text/second\r\nSet-Cookie: s=2\r\nContent-Length: 3\r\n\r\ntwo"));
    Server s(server("location / { proxy_pass " + first.url() + "; } location /there { proxy_pass " + second.url() + "; }"));
    const Response r = get(s.url("/"));
    CHECK(r.body == "two");
    CHECK(r.header("Content-Type") == "text/second");
    CHECK(r.count("Set-Cookie") == 2);
  }
  SECTION("an error page is no image") {
    Server s(server("root %%DIR%%; error_page 404 /e.html; location / { proxy_pass " + first.url() +
                    "; } location /there { internal; } location = /e.html { }"),
             {{"e.html", "not here"}});
    const Response r = get(s.url("/"));
    CHECK(r.status == 404);
    CHECK(r.body == "not here");
    CHECK(r.header("Content-Type") == "text/html");
    CHECK(r.count("Set-Cookie") == 0);
  }
}

TEST_CASE("error_page answers for the upstream where proxy_intercept_errors says so") {
  Upstream up(answer("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost"));
  Server s(server("error_page 404 /e; location / { proxy_pass " + up.url() + "; proxy_intercept_errors on; } location /own { proxy_pass " + up.url() +
                  "; } location /e { return 200 ours; }"));
  const Response r = get(s.url("/"));
  CHECK(r.status == 404);
  CHECK(r.body == "ours");
  CHECK(get(s.url("/own")).body == "lost");
}

TEST_CASE("proxy_pass with variables: an upstream's name, an address, and a name that nobody knows") {
  Upstream up(echo);
  const std::string port = std::to_string(up.port());
  Server s(server("location /group { proxy_pass http://$arg_u; } location /address { proxy_pass http://127.0.0.1:$arg_p/x$uri; }",
                  "upstream named { server 127.0.0.1:" + port + "; }"));
  CHECK_THAT(get(s.url("/group?u=named")).body, ContainsSubstring("GET /group?u=named HTTP/1.1\r\nHost: named\r\n"));
  CHECK_THAT(get(s.url("/address?p=" + port)).body, ContainsSubstring("GET /x/address HTTP/1.1\r\nHost: 127.0.0.1:" + port));
  CHECK(get(s.url("/group?u=nobody.invalid")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("no resolver defined to resolve nobody.invalid"));
}

TEST_CASE("proxied over HTTP/2: what HTTP/1 would read as another field stays a value") {
  Upstream up(echo);
  Server s("server { listen 127.0.0.1:%%PORT_0%%; http2 on; location / { proxy_pass " + up.url() + "; } }");
  Request request;
  request.url = s.url("/h2");
  request.http2 = true;
  request.method = "POST";
  request.body = "over two";
  const Response r = fetch(request);
  CHECK(r.status == 200);
  CHECK_THAT(r.body, ContainsSubstring("POST /h2 HTTP/1.1\r\n"));
  CHECK_THAT(r.body, ContainsSubstring("\r\n\r\nover two"));
}

TEST_CASE("what $upstream_ variables say") {
  Upstream up(answer(ok("four", "X-Some: thing\r\nSet-Cookie: id=7; Path=/\r\n")));
  Server s(server("location / { proxy_pass " + up.url() + "; }",
                  "log_format up '$upstream_addr $upstream_status $upstream_response_length $upstream_http_x_some $upstream_cookie_id $proxy_host'"
                  "; access_log %%DIR%%/a.log up;"));
  get(s.url());
  s.stop();
  const std::string address = "127.0.0.1:" + std::to_string(up.port());
  CHECK(s.read("a.log") == address + " 200 4 thing 7 " + address + "\n");
}

TEST_CASE("mistakes of upstream and proxy_pass are named") {
  const auto [config, message] = GENERATE(table<std::string, std::string>(
      {{"upstream u { }", "no servers are inside upstream"},
       {"upstream u { server 127.0.0.1; } upstream u { server 127.0.0.1; }", "duplicate upstream \"u\""},
       {"upstream u { server 127.0.0.1 wieght=2; }", "invalid parameter \"wieght=2\""},
       {"upstream u { server 127.0.0.1:99999; }", "invalid port in upstream \"127.0.0.1:99999\""},
       {"upstream u { server 127.0.0.1; } server { location / { proxy_pass http://u:80; } }", "upstream \"u\" may not have port 80"},
       {"server { location / { proxy_pass ftp://127.0.0.1; } }", "invalid URL prefix"},
       {"server { location ~ x { proxy_pass http://127.0.0.1/x; } }", "cannot have URI part"},
       {"server { location / { proxy_pass http://127.0.0.1; proxy_pass http://127.0.0.1; } }", "\"proxy_pass\" directive is duplicate"}}));
  const Run run = check_config(config);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}

TEST_CASE("X-Accel-Redirect cannot lead up") {
  const auto to = GENERATE(as<std::string>(), "..", "/files/..", "/files/../x", "/files/.%2e/x", "x", "/a%00");
  Upstream up(answer(ok("", "X-Accel-Redirect: " + to + "\r\n")));
  Server s(server("location / { proxy_pass " + up.url() + "; } location /files { return 200 files; }"));
  CHECK(get(s.url()).status == 404);
  CHECK_THAT(s.error_log(), ContainsSubstring("unsafe URI \"" + to + "\" was detected"));
}

TEST_CASE("an intercepted 401 keeps what it asks for") {
  Upstream up(answer("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: Other\r\nContent-Length: 0\r\n\r\n"));
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_intercept_errors on; error_page 401 /e; } location /e { return 200 ours; }"));
  const Response r = get(s.url());
  CHECK(r.status == 401);
  CHECK(r.body == "ours");
  CHECK(r.count("WWW-Authenticate") == 2);
}

TEST_CASE("a 401 that is the error page of another keeps what it asks for") {
  Upstream first(answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"));
  Upstream second(answer("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"));
  Server s(server("proxy_intercept_errors on; error_page 401 500 /e; location / { proxy_pass " + first.url() + "; } location /e { proxy_pass " +
                  second.url() + "; }"));
  const Response r = get(s.url());
  CHECK(r.status == 401);
  CHECK(r.header("WWW-Authenticate") == "Basic");
}
TEST_CASE("client_body_in_file_only names the file that holds a body, and clean removes it") {
  Upstream up(answer(ok("ok")));
  Server s(server("location / { proxy_pass " + up.url() + "; add_header X-File $request_body_file; client_body_in_file_only on;"
                  " client_body_temp_path %%DIR%%/bodies; location /clean { proxy_pass " + up.url() + "; client_body_in_file_only clean; } }"));
  Request post;
  post.method = "POST";
  post.body = "kept";
  post.url = s.url();
  CHECK(read_file(fetch(post).header("X-File")) == "kept");
  post.url = s.url("/clean");
  const std::string name = fetch(post).header("X-File");
  CHECK(!name.empty());
  CHECK(get(s.url("/clean")).status == 200);  // the request before it has ended
  CHECK(read_file(name).empty());
}

TEST_CASE("an unbuffered body that is small is still $request_body") {
  Upstream up([](RawClient& c) {
    c.read_until("body");
    c.send(ok("ok"));
  });
  Server s(pass_to(up, "proxy_request_buffering off; add_header X-Body $request_body;"));
  Request post;
  post.method = "POST";
  post.body = "the body";
  post.url = s.url();
  CHECK(fetch(post).header("X-Body") == "the body");
}
