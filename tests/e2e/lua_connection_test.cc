// ngx.req.socket(true): the client's connection in a script's hands, before anything of a response is out and behind a head that is
// not 101.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/raw_client.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kHello = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n";

std::string server(const std::string& inside) {
  return "log_format said '$uri $status $bytes_sent $body_bytes_sent'; server { listen 127.0.0.1:%%PORT_0%%; access_log %%DIR%%/access.log said; " + inside + " }";
}

// One location, whose script has the connection as `s`.
std::string raw(const std::string& code, const std::string& more = "") {
  return "location / { " + more + " content_by_lua_block { local s = assert(ngx.req.socket(true)) " + code + " } }";
}

// All that the server says to this.
std::string answer(int port, std::string_view request) {
  RawClient c(port);
  c.send(request);
  return c.read_all();
}

}  // namespace

TEST_CASE("a script that has the connection first says all of the response") {
  Server s(server(raw("s:send('" + kHello + "hello')")));
  CHECK(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(answer(s.port(), "GET /old HTTP/1.0\r\n\r\n") == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(s.wait_for_log("/old 000 43 43", "access.log"));  // nobody has told the server
}

TEST_CASE("what ngx.status says is the status in the log of a response that the script makes") {
  Server s(server(raw("ngx.status = 201 s:send('HTTP/1.1 201 Created\\r\\nContent-Length: 0\\r\\n\\r\\n')", "rewrite_by_lua_block { ngx.status = 201 }")));
  CHECK_THAT(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ContainsSubstring("201 Created"));
  CHECK(s.wait_for_log("/ 201 43 43", "access.log"));
}

TEST_CASE("a body that nobody has read is there for the script, frames and all") {
  Server s(server(raw("ngx.req.read_body() ngx.req.discard_body() local d = s:receive(5) s:send('" + kHello + "' .. d)")));
  CHECK_THAT(answer(s.port(), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"), ContainsSubstring("\r\n\r\nabcde"));
  CHECK_THAT(answer(s.port(), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), ContainsSubstring("\r\n\r\n2\r\nab"));
}

TEST_CASE("a body that was read before is kept, and what comes behind it is the script's") {
  Server s(server(R"(location / { content_by_lua_block {
    ngx.req.read_body()
    local s = assert(ngx.req.socket(true))
    s:send(ngx.req.get_body_data() .. " " .. s:receive("*l") .. "\n")
  } })"));
  CHECK(answer(s.port(), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcmore\r\n") == "abc more\n");
}

TEST_CASE("the connection may be taken in front of the content, and the request ends with it") {
  Server s(server(R"(location / { access_by_lua_block { local s = assert(ngx.req.socket(true)) s:send("taken\n") } content_by_lua_block { ngx.say("never") } })"));
  CHECK(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "taken\n");
}

TEST_CASE("behind a head and a part of the body the script goes on by itself") {
  Server s(server(R"(location / { content_by_lua_block {
    ngx.header.content_length = 12
    ngx.print("first ")
    local s = assert(ngx.req.socket(true))
    s:send("second")
  } }
  location /head { content_by_lua_block {
    ngx.header.content_length = 3
    ngx.send_headers()
    local s = assert(ngx.req.socket(true))
    s:send(s:receive(3))
  } }
  location /chunks { content_by_lua_block {
    ngx.say("one")
    ngx.flush(true)
    local s = assert(ngx.req.socket(true))
    s:send("4\r\ntwo\n\r\n0\r\n\r\n")
  } })"));
  const Response whole = get(s.url("/"));
  CHECK(whole.status == 200);
  CHECK(whole.body == "first second");
  RawClient c(s.port());
  c.send("GET /head HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(c.read_until("\r\n\r\n"), ContainsSubstring("Content-Length: 3"));
  c.send("abc");
  CHECK(c.read_all() == "abc");
  CHECK(get(s.url("/chunks")).body == "one\ntwo\n");
}

TEST_CASE("filters see nothing of what the script says itself") {
  const std::string script = " content_by_lua_block { ngx.say('say') ngx.flush(true) local s = assert(ngx.req.socket(true)) s:send('say raw') } }";
  Server s(server("gzip_min_length 1; gzip_types *; location /gzip { gzip on; " + script + "location /sub { sub_filter say said; sub_filter_types *; " + script +
                  "location /lua { body_filter_by_lua_block { ngx.arg[1] = ngx.arg[1]:upper() } " + script +
                  "location /ssi { ssi on; ssi_types *; " + script));
  for (const std::string path : {"/gzip", "/sub", "/lua", "/ssi"}) {
    INFO(path);
    CHECK_THAT(answer(s.port(), "GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"), Catch::Matchers::EndsWith("say raw"));
  }
}

TEST_CASE("over TLS the connection is as good") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s("ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; server { listen 127.0.0.1:%%PORT_0%% ssl; " + raw("s:send('" + kHello + "' .. s:receive(5))") + R"(
    location /behind { content_by_lua_block { ngx.header.content_length = 10 ngx.print("hello") local s = assert(ngx.req.socket(true)) s:send(s:receive(5)) } } })", files);
  for (const std::string path : {"/", "/behind"}) {
    RawClient c(s.port());
    c.start_tls();
    c.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    c.send("again");
    CHECK_THAT(c.read_all(), ContainsSubstring(path == "/" ? "\r\n\r\nagain" : "helloagain"));
  }
}

TEST_CASE("why a script does not get the connection") {
  Server s(server(R"(
    location /twice { content_by_lua_block { local s = ngx.req.socket(true) s:send(select(2, ngx.req.socket(true)) .. "," .. select(2, ngx.say("x")) .. "," .. select(2, ngx.eof()) .. "\n") } }
    location /old { content_by_lua_block { ngx.say("x") ngx.say(select(2, ngx.req.socket(true))) } }
    location /ended { content_by_lua_block { ngx.say("x") ngx.eof() ngx.log(ngx.ERR, "got ", select(2, ngx.req.socket(true))) } }
    location /sub { content_by_lua_block { ngx.req.socket(true) } }
    location /main { content_by_lua_block { ngx.say(ngx.location.capture("/sub").status) } }
    location /busy { content_by_lua_block {
      ngx.thread.spawn(function() ngx.req.read_body() end)
      ngx.say(select(2, ngx.req.socket(true)))
    } })"));
  CHECK(answer(s.port(), "GET /twice HTTP/1.1\r\nHost: a\r\n\r\n") == "duplicate call,raw request socket acquired,raw request socket acquired\n");
  CHECK_THAT(answer(s.port(), "GET /old HTTP/1.0\r\n\r\n"), ContainsSubstring("x\nhttp 1.0 buffering\n"));
  CHECK(get(s.url("/ended")).body == "x\n");
  CHECK(s.wait_for_log("got seen eof"));
  CHECK(get(s.url("/main")).body == "500\n");
  CHECK(s.wait_for_log("attempt to read the request body in a subrequest"));
  RawClient c(s.port());
  c.send("POST /busy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabc");
  CHECK_THAT(c.read_until("thread\n"), ContainsSubstring("pending request body reading in some other thread"));
  c.send("de");
  c.read_all();
}

TEST_CASE("a script with the connection changes nothing of its request any more") {
  Server s(server(R"(
    location /body { content_by_lua_block {
      local s = ngx.req.socket(true)
      local function why(f, ...) return select(2, pcall(f, ...)):match("[^:]+$") end
      s:send(why(ngx.req.set_body_data, "x") .. "," .. why(ngx.exec, "/other") .. "," .. why(ngx.redirect, "/other") .. ",")
      s:send(s:receive(3) .. "\n")
    } }
    location /part { content_by_lua_block {
      local body = ngx.req.socket()
      ngx.say(select(2, ngx.req.socket(true)))
    } }
    location /head { content_by_lua_block { ngx.send_headers() ngx.log(ngx.ERR, "got ", select(2, ngx.req.socket(true))) } })"));
  CHECK(answer(s.port(), "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") ==
        "request body not read yet,attempt to call ngx.exec after sending out response headers,attempt to call ngx.redirect after sending out the headers,abc\n");
  CHECK_THAT(answer(s.port(), "POST /part HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"),
             ContainsSubstring("pending request body reading in some other thread"));
  CHECK_THAT(answer(s.port(), "HEAD /head HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), ContainsSubstring("200 OK"));
  CHECK(s.wait_for_log("got header only"));
}

TEST_CASE("a script that could not wait for the connection has not got it") {
  Server s(server(R"(location / { content_by_lua_block {
    local ok = pcall(table.sort, { 2, 1 }, function() ngx.req.socket(true) end)
    ngx.say(ok)
    ngx.flush(true)
    ngx.req.socket(true):send("and now\n")
  } })"));
  CHECK_THAT(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ContainsSubstring("false\n") && Catch::Matchers::EndsWith("and now\n"));
}

TEST_CASE("other light threads go on while one has the connection, with the request's fields as they were") {
  Server s(server(R"(
    location /slow { content_by_lua_block { package.loaded.go:wait(60) ngx.print(ngx.var.http_x_set, ngx.req.get_headers().x_set) } }
    location / { content_by_lua_block {
      local go = require "ngx.semaphore".new()
      package.loaded.go = go
      ngx.req.set_header("X-Set", ("set "):rep(20))
      local capture = ngx.thread.spawn(function() return ngx.location.capture("/slow").body end)
      local waits = ngx.thread.spawn(function() go:wait(60) return "woken " end)
      local s = ngx.req.socket(true)
      go:post(2)
      s:send(select(2, ngx.thread.wait(waits)) .. select(2, ngx.thread.wait(capture)) .. s:receive("*l") .. "\n")
    } })"));
  std::string fields;
  for (int i = 0; i < 40; ++i) fields += "set ";
  CHECK(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next\r\n") == "woken " + fields + "GET /next\n");
}

TEST_CASE("a request that is none has no connection to give, nor has one that is explained") {
  const std::string script = "{ ngx.thread.spawn(ngx.sleep, 1000) local s = ngx.req.socket(true) s:send('never') }";
  Server s("explain_token 0123456789abcdef-secret; " +
           server("error_page 400 /taken; location /taken { content_by_lua_block " + script + " } location / { access_by_lua_block " + script + " return 200; }"));
  CHECK(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n") == "");
  CHECK(s.wait_for_log("/taken 444", "access.log"));
  CHECK_THAT(answer(s.port(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Seawall-Explain: 0123456789abcdef-secret\r\n\r\n"),
             ContainsSubstring("200 OK") && !ContainsSubstring("never"));
}

TEST_CASE("a stream of HTTP/2 has no connection to give") {
  Server s(server("http2 on; " + raw("")));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.read_response(1).status == 500);
  CHECK(s.wait_for_log("http v2 not supported yet"));
}

TEST_CASE("a client that leaves ends a script that has its connection") {
  Server s(server(raw("s:send('go\\n') local d, why = s:receive(5) ngx.log(ngx.ERR, 'heard ', why)")));
  {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read_until("\n") == "go\n");
  }
  CHECK(s.wait_for_log("heard (closed|client aborted|connection reset by peer)"));
}
