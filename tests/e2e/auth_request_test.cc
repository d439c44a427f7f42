// auth_request: subrequests that decide who is let in, and what they leave behind.
#include <stdexcept>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("log_format lines '$status $uri $request_method'; access_log %%DIR%%/lines.log lines;"
                   " server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/www; ");
  return text.append(inside).append(" }");
}

const Files kFiles{{"www/index.html", "in"}, {"www/secret", "of the subrequest"}};

}  // namespace

TEST_CASE("auth_request lets in what is answered with 2xx, and nothing of the answer") {
  Server s(server("location / { auth_request /ok; } location = /ok { return 204; }"
                  " location /a { auth_request /secret; try_files /index.html =404; }"
                  " location /b { auth_request /text; try_files /index.html =404; } location = /text { return 299 more; }"),
           kFiles);
  CHECK(get(s.url()).body == "in");
  const Response file = get(s.url("/a"));
  CHECK(file.status == 200);
  CHECK(file.body == "in");
  CHECK(get(s.url("/b")).body == "in");
  Request post;
  post.url = s.url("/index.html");
  post.method = "POST";
  post.body = "x=1";
  CHECK(fetch(post).status == 405);  // a file takes no POST: it was let in
}

TEST_CASE("a 401 or 403 of the subrequest refuses, anything else is an error") {
  Server s(server("location /401 { auth_request /a401; } location = /a401 { return 401; }"
                  " location /403 { auth_request /a403; } location = /a403 { return 403; }"
                  " location /404 { auth_request /a404; } location = /a404 { return 404; }"
                  " location /302 { auth_request /a302; } location = /a302 { return 302 /login; }"
                  " location /none { auth_request /nowhere; }"),
           kFiles);
  CHECK(get(s.url("/401")).status == 401);
  CHECK(get(s.url("/403")).status == 403);
  CHECK(get(s.url("/404")).status == 500);
  CHECK(s.wait_for_log("\\[error\\] .*auth request unexpected status: 404, client: "));
  CHECK(get(s.url("/302")).status == 500);
  CHECK(get(s.url("/none")).status == 500);
  CHECK(s.wait_for_log("failed \\(2: No such file or directory\\), client: .*, subrequest: \"/nowhere\", host: "));
}

TEST_CASE("access rules and add_header do not concern a subrequest") {
  Server s(server("location / { auth_request /auth; } location = /auth { deny all; add_header WWW-Authenticate one always; return 401; }"
                  " location /basic { auth_request /pass; }"
                  " location = /pass { deny all; auth_basic closed; auth_basic_user_file users; root %%DIR%%/passes; }"),
           {{"www/basic", "in"}, {"passes/pass", "x"}});
  const Response bare = get(s.url());
  CHECK(bare.status == 401);
  CHECK(bare.count("WWW-Authenticate") == 0);
  CHECK(get(s.url("/basic")).status == 200);
  CHECK(get(s.url("/pass")).status == 403);
}

TEST_CASE("who is asked by proxy gets the fields without the body, its challenge is passed on, its fields become variables") {
  Upstream up([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    if (!head.starts_with("GET ") || head.find("\r\nContent-Length: 5") != std::string::npos) throw std::runtime_error(head);
    const bool known = head.find("\r\nX-Token: good\r\n") != std::string::npos;
    c.send(std::string(known ? "HTTP/1.1 204 No Content\r\n" : "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: one\r\n"
                                                               "WWW-Authenticate: two\r\nContent-Length: 3\r\n") +
           "X-User: ann\r\nConnection: close\r\n\r\n" + (known ? "" : "no!"));
  });
  Server s(with_probe(server("location / { auth_request /auth; auth_request_set $user $upstream_http_x_user; add_header X-User $user always;"
                             " probe_read on; } location = /auth { proxy_pass " + up.url() + "; }")),
           kFiles);
  Request request;
  request.url = s.url("/x");
  request.method = "POST";
  request.body = "hello";
  const Response refused = fetch(request);
  CHECK(refused.status == 401);
  CHECK(refused.count("WWW-Authenticate") == 2);
  CHECK(refused.header("X-User") == "ann");
  CHECK(refused.body.find("no!") == std::string::npos);
  request.headers = {"X-Token: good"};
  const Response taken = fetch(request);
  CHECK(taken.status == 200);
  CHECK(taken.body == "hello");
  CHECK(taken.header("X-User") == "ann");
  CHECK(up.failure() == "");
}

TEST_CASE("error pages apply to a refusal by the subrequest") {
  Server s(server("location / { error_page 401 = @login; auth_request /auth; } location = /auth { return 401; }"
                  " location @login { return 302 /login; }"),
           kFiles);
  const Response r = get(s.url("/x"));
  CHECK(r.status == 302);
  CHECK(r.header("Location") == s.url("/login"));
}

TEST_CASE("auth_request_set keeps what the subrequest brought, through redirects of the request") {
  Server s(server("location / { auth_request /auth; auth_request_set $user $who; auth_request_set $code $status;"
                  " add_header X-User $user; add_header X-Code $code; }"
                  " location = /auth { set $who \"ann $uri\"; return 202; }"),
           kFiles);
  const Response r = get(s.url("/?a=b"));
  CHECK(r.status == 200);
  CHECK(r.header("X-User") == "ann /auth");
  CHECK(r.header("X-Code") == "202");
}

TEST_CASE("auth_request_set shares variables with set, in both orders") {
  Server s(server("set $a before; location / { auth_request /auth; auth_request_set $a $one; auth_request_set $b $two;"
                  " add_header X-A $a; add_header X-B $b; }"
                  " location = /auth { set $one 1; set $two 2; return 200; }"
                  " location = /other { set $b late; return 200 \"$a $b\"; }"),
           kFiles);
  const Response r = get(s.url());
  CHECK(r.header("X-A") == "1");
  CHECK(r.header("X-B") == "2");
  CHECK(get(s.url("/other")).body == "before late");
}

TEST_CASE("a subrequest sees the request's fields and names itself") {
  Server s(server("location = /auth { set $seen_there \"$http_x_token $request_method $request_uri $uri\"; return 200; }"
                  " location /b { auth_request /auth; auth_request_set $seen $seen_there; add_header X-Seen $seen;"
                  " try_files /index.html =404; }"),
           kFiles);
  CHECK(get(s.url("/b?q=1"), {"X-Token: t"}).header("X-Seen") == "t GET /b?q=1 /auth");
}

TEST_CASE("auth_request off, inheritance, and 444") {
  Server s(server("auth_request /no; location = /no { return 403; } location / { }"
                  " location /off { auth_request off; try_files /index.html =404; }"
                  " location /gone { auth_request /444; } location = /444 { return 444; }"),
           kFiles);
  CHECK(get(s.url()).status == 403);
  CHECK(get(s.url("/off")).status == 200);
  RawClient c(s.port());
  c.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_all().empty());
}

TEST_CASE("satisfy any with auth_request, addresses and passwords") {
  Server s(server("satisfy any; auth_request /auth; location = /auth { return 403; }"
                  " location / { deny all; auth_request /401; } location = /401 { return 401; }"
                  " location /allowed { allow all; auth_request /403; try_files /index.html =404; } location = /403 { return 403; }"
                  " location /granted { deny all; auth_request /200; try_files /index.html =404; } location = /200 { return 200; }"
                  " location /refused { deny all; auth_request /403; }"
                  " location /both { deny all; auth_request /401; access_by_lua_block { local go = require 'ngx.semaphore'.new()"
                  " ngx.timer.at(0, function() go:post() end) assert(go:wait(10)) if ngx.var.arg_in then return ngx.exit(ngx.OK) end ngx.exit(403) } try_files /index.html =404; }"),
           kFiles);
  CHECK(get(s.url()).status == 401);
  CHECK(get(s.url("/both")).status == 401);  // each of the two has waited
  CHECK(get(s.url("/both?in=1")).status == 200);
  CHECK(get(s.url("/allowed")).status == 200);
  CHECK(get(s.url("/granted")).status == 200);
  CHECK(get(s.url("/refused")).status == 403);
  CHECK(s.wait_for_log("access forbidden by rule"));
}

TEST_CASE("log_subrequest gives subrequests lines of their own") {
  Server s(server("location / { auth_request /auth; } location = /auth { log_subrequest on; return 204; }"
                  " location /q { auth_request /quiet; try_files /index.html =404; } location = /quiet { return 204; }"),
           kFiles);
  CHECK(get(s.url()).status == 200);
  CHECK(s.wait_for_log("^204 /auth GET$", "lines.log"));
  CHECK(get(s.url("/q")).status == 200);
  CHECK(s.wait_for_log("^200 /index.html GET$", "lines.log"));
  CHECK(s.read("lines.log").find("/quiet") == std::string::npos);
}

TEST_CASE("a client that leaves ends the subrequest that its request waits for") {
  Server s(with_probe(server("location / { auth_request /slow; } location = /slow { probe_wait 1m; }")), kFiles);
  {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  CHECK(s.wait_for_log("client closed connection while the request was being processed"));
}

TEST_CASE("auth_request_set refuses what is no variable") {
  CHECK_THAT(check_config(server("auth_request_set user x;")).err, ContainsSubstring("invalid variable name \"user\""));
  CHECK_THAT(check_config(server("auth_request_set $remote_addr x;")).err,
             ContainsSubstring("the duplicate \"remote_addr\" variable"));
}
