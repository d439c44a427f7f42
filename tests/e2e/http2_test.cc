// HTTP/2 as clients see it: over TLS by ALPN, with prior knowledge where a plain port has it, and frame by frame.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

const std::string kBig(8 << 20, 'x');

// A plain server on PORT_0 that speaks both.
std::string server(const std::string& inside, const std::string& http = "") {
  return with_probe(http + "server { listen 127.0.0.1:%%PORT_0%%; http2 on; " + inside + " }");
}

Files with_certificate(Files files = {}) {
  const Certificate made = make_certificate({"localhost", "other.test"});
  files.insert(files.end(), {{"a.crt", made.certificate}, {"a.key", made.key}});
  return files;
}

const std::string kTls = "listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; ";

std::string negotiated(const Server& s, const std::string& offered, const std::string& name = "localhost") {
  TlsOptions options;
  options.alpn = offered;
  options.server_name = name;
  RawClient c(s.port());
  c.start_tls(options);
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(c.tls(), &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

// Any size of SETTINGS_INITIAL_WINDOW_SIZE.
void set_window(H2Client& c, std::uint32_t size) { c.send_frame(NGHTTP2_SETTINGS, 0, 0, setting_bytes(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, size)); }

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "re"), ::pclose);
  std::string output;
  char bytes[4096];
  for (std::size_t n; pipe && (n = ::fread(bytes, 1, sizeof bytes, pipe.get())) > 0;) output.append(bytes, n);
  return output;
}

H2Fields post_fields(const std::string& path, const H2Fields& more = {}) {
  H2Fields fields = get_fields(path, more);
  fields[0].second = "POST";
  return fields;
}

}  // namespace

TEST_CASE("HTTP/2: curl speaks it over TLS without a directive") {
  Server s("server { " + kTls + " return 200 \"$server_protocol $http2 $scheme $ssl_alpn_protocol\"; }", with_certificate());
  Request request;
  request.url = s.tls_url();
  request.http2 = true;
  const Response r = fetch(request);
  CHECK_THAT(r.head, StartsWith("HTTP/2 200"));
  CHECK(r.body == "HTTP/2.0 h2 https h2");
}

TEST_CASE("HTTP/2: nghttp and openssl s_client speak it") {
  Server s("server { " + kTls + " return 200 $server_protocol; }", with_certificate());
  const std::string where = "127.0.0.1:" + std::to_string(s.port());
  CHECK(output_of("nghttp --no-verify-peer https://" + where + "/") == "HTTP/2.0");
  CHECK_THAT(output_of("openssl s_client -alpn h2 -connect " + where + " </dev/null 2>/dev/null"), ContainsSubstring("ALPN protocol: h2"));
}

TEST_CASE("HTTP/2: who offers only HTTP/1.1 gets that, and http2 off offers nothing else") {
  Server on("server { " + kTls + " return 200 ok; }", with_certificate());
  CHECK(negotiated(on, "\x02h2\x08http/1.1") == "h2");
  CHECK(negotiated(on, "\x08http/1.1") == "http/1.1");
  CHECK(negotiated(on, "\x08http/1.1\x02h2") == "h2");
  Server off("server { " + kTls + " http2 off; return 200 ok; } server { " + kTls + " server_name other.test; return 200 ok; }", with_certificate());
  CHECK(negotiated(off, "\x02h2\x08http/1.1") == "http/1.1");
  CHECK(negotiated(off, "\x02h2\x08http/1.1", "other.test") == "h2");
}

TEST_CASE("HTTP/2: compat nginx turns it off where nobody turns it on") {
  Server s("compat nginx;\nevents {}\nhttp { server { " + kTls + " return 200 ok; } }", with_certificate());
  CHECK(negotiated(s, "\x02h2\x08http/1.1") == "http/1.1");
}

TEST_CASE("HTTP/2: a server that has it off is misdirected to (421)") {
  Server s("server { " + kTls + " return 200 on; } server { " + kTls + " server_name other.test; http2 off; return 200 off; }", with_certificate());
  H2Client c(s.port(), true);
  c.send_headers(1, {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "other.test"}});
  CHECK(c.read_response(1).status == 421);
  c.request(3, "/");
  CHECK(c.read_response(3).body == "on");
}

TEST_CASE("HTTP/2: on a plain port with prior knowledge, beside HTTP/1.1") {
  Server s(server("return 200 \"$server_protocol $http2\";"));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.read_response(1).body == "HTTP/2.0 h2c");
  CHECK(get(s.url()).body == "HTTP/1.1 ");
  Request request;
  request.url = s.url();
  request.http2 = true;
  CHECK(fetch(request).body == "HTTP/2.0 h2c");
  H2Client slow(s.port(), false, H2Client::Start::silent);
  for (const char byte : kPreface) slow.send({&byte, 1});
  slow.send_frame(NGHTTP2_SETTINGS, 0, 0);
  slow.request(1, "/");
  CHECK(slow.read_response(1).body == "HTTP/2.0 h2c");
}

TEST_CASE("HTTP/2: listen ... http2 is accepted with nginx's warning, plain ports without it know only HTTP/1") {
  Server s("server { listen 127.0.0.1:%%PORT_0%% http2; return 200 $server_protocol; } server { listen 127.0.0.1:%%PORT_1%%; return 200 no; }");
  CHECK(s.wait_for_log("the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead"));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.read_response(1).body == "HTTP/2.0");
  RawClient plain(s.port(1));
  plain.send(kPreface);
  CHECK(plain.read_response().status == 400);
}

TEST_CASE("HTTP/2: files, large and small, whole and in part") {
  Server s(server("root %%DIR%%; location /none { }"), {{"small", "small"}, {"big", kBig}, {"empty", ""}});
  H2Client c(s.port());
  set_window(c, 1 << 24);
  c.open_window(0, 1 << 24);
  c.request(1, "/small");
  c.request(3, "/big");
  c.request(5, "/empty");
  c.request(7, "/none");
  c.request(9, "/big", {{"range", "bytes=100-199"}});
  const H2Response small = c.read_response(1), big = c.read_response(3), empty = c.read_response(5), none = c.read_response(7),
                   part = c.read_response(9);
  CHECK((small.status == 200 && small.body == "small" && small.header("content-length") == "5"));
  CHECK((big.status == 200 && big.body == kBig));
  CHECK((empty.status == 200 && empty.body.empty() && empty.header("content-length") == "0"));
  CHECK((none.status == 404 && none.body == default_page("404 Not Found")));
  CHECK((part.status == 206 && part.body == kBig.substr(0, 100) && part.header("content-range") == "bytes 100-199/8388608"));
  c.send_headers(11, {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/big"}, {":authority", "localhost"}});
  const H2Response head = c.read_response(11);
  CHECK((head.status == 200 && head.body.empty() && head.header("content-length") == "8388608"));
}

TEST_CASE("HTTP/2: a file over TLS is what it is on the disk") {
  Server s("server { " + kTls + " root %%DIR%%; }", with_certificate({{"big", kBig}}));
  Curl curl;
  Request request;
  request.url = s.tls_url("/big");
  request.http2 = true;
  for (int i = 0; i < 3; ++i) CHECK(curl.fetch(request).body == kBig);
  CHECK(curl.new_connections() == 0);
}

TEST_CASE("HTTP/2: a body of unknown length, its trailers, and add_trailer's") {
  Server s(server("add_trailer X-Added yes; location /stream { probe_stream 100 20000; } location /text { return 200 text; }"
                  "location /none { return 200; }"));
  H2Client c(s.port());
  set_window(c, 1 << 24);
  c.open_window(0, 1 << 24);
  c.request(1, "/stream");
  const H2Response r = c.read_response(1);
  CHECK(r.body == std::string(2'000'000, 'x'));
  CHECK((r.trailer("x-pieces") == "100" && r.trailer("x-added") == "yes"));
  CHECK(r.header("content-length").empty());
  c.request(3, "/text");
  const H2Response text = c.read_response(3);
  CHECK((text.body == "text" && text.trailer("x-added") == "yes"));
  c.request(5, "/none");
  CHECK(c.read_response(5).trailer("x-added") == "yes");
}

TEST_CASE("HTTP/2: fields reach the handler, cookies as one, and go out in lower case without those of one connection") {
  Server s(server("add_header X-Upper \"a b\"; add_header Connection close; add_header Transfer-Encoding chunked;"
                  "location / { return 200 \"$http_cookie|$http_x_one|$host|$http_host|$request_method|$args|$request\"; }"));
  H2Client c(s.port());
  c.request(1, "/p?q=1", {{"cookie", "a=1"}, {"x-one", "1"}, {"cookie", "b=2"}});
  const H2Response r = c.read_response(1);
  CHECK(r.body == "a=1; b=2|1|localhost|localhost|GET|q=1|GET /p?q=1 HTTP/2.0");
  CHECK(r.header("x-upper") == "a b");
  CHECK((r.header("connection").empty() && r.header("transfer-encoding").empty()));
  CHECK(r.header("server") == kSignature);
  CHECK_FALSE(r.header("date").empty());
}

TEST_CASE("HTTP/2: request bodies, of a length, without, with trailers, and none") {
  Server s(server("client_max_body_size 100k; location /body { probe_read on; } location /no { return 200 unread; }"));
  H2Client c(s.port());
  c.send_headers(1, post_fields("/body", {{"content-length", "10"}}), false);
  c.send_data(1, "12345", false);
  c.send_data(1, "67890", true);
  CHECK(c.read_response(1).body == "1234567890");
  c.send_headers(3, post_fields("/body"), false);
  c.send_data(3, std::string(16'000, 'a'), false);
  c.send_data(3, std::string(16'000, 'b'), false);
  c.send_data(3, "", true);
  CHECK(c.read_response(3).body == std::string(16'000, 'a') + std::string(16'000, 'b'));
  c.send_headers(5, post_fields("/body"), false);
  c.send_data(5, "x", false);
  c.send_headers(5, {{"x-sum", "1"}, {"content-length", "9"}}, true);
  const H2Response trailed = c.read_response(5);
  CHECK((trailed.body == "x" && trailed.header("x-trailer-x-sum") == "1" && trailed.header("x-trailer-content-length").empty()));
  c.send_headers(7, post_fields("/body"));
  CHECK((c.read_response(7).status == 200));
  c.send_headers(9, post_fields("/no", {{"content-length", "3"}}), false);
  CHECK(c.read_response(9).body == "unread");
  c.send_data(9, "abc", true);
  c.request(11, "/no");
  CHECK(c.read_response(11).body == "unread");
}

TEST_CASE("HTTP/2: a body that is too large is a 413, and the stream's end") {
  Server s(server("client_max_body_size 10; location / { probe_read on; }"));
  H2Client c(s.port());
  c.send_headers(1, post_fields("/", {{"content-length", "11"}}), false);
  CHECK(c.read_response(1).status == 413);
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 1).error_code() == NGHTTP2_NO_ERROR);
  c.send_headers(3, post_fields("/"), false);
  c.send_data(3, "12345678901", false);
  CHECK(c.read_response(3).status == 413);
}

TEST_CASE("HTTP/2: a large upload flows as it is read") {
  Server s(with_probe("server { " + kTls + " client_max_body_size 0; location / { probe_read on; } }"), with_certificate());
  Request r;
  r.http2 = true;
  r.url = s.tls_url();
  r.method = "POST";
  r.body = kBig;
  Curl curl;
  const Response answer = curl.fetch(r);
  CHECK_THAT(answer.head, ContainsSubstring("HTTP/2 200"));
  CHECK(answer.body == kBig);
}

TEST_CASE("HTTP/2: a body that nobody reads holds its window and no more") {
  Server s(server("http2_body_preread_size 20000; location / { probe_wait 600s; } location /other { return 200 other; }"));
  H2Client c(s.port());
  c.wait_for(NGHTTP2_SETTINGS);
  c.send_headers(1, post_fields("/"), false);
  for (int i = 0; i < 2; ++i) c.send_data(1, std::string(10'000, 'a'), false);
  c.request(3, "/other");
  CHECK(c.read_response(3).body == "other");
  c.ping("12345678");
  for (;;) {
    const Frame frame = c.read_frame();
    CHECK_FALSE((frame.type == NGHTTP2_WINDOW_UPDATE && frame.stream == 1));
    if (frame.type == NGHTTP2_PING) break;
  }
}

TEST_CASE("HTTP/2: 100 Continue is said when somebody asks for the body") {
  Server s(server("location /body { probe_read on; } location /no { return 200 no; }"));
  H2Client c(s.port());
  c.send_headers(1, post_fields("/body", {{"expect", "100-continue"}, {"content-length", "2"}}), false);
  const Frame frame = c.wait_for(NGHTTP2_HEADERS, 1);
  CHECK(frame.fields == H2Fields{{":status", "100"}});
  c.send_data(1, "ok", true);
  CHECK(c.read_response(1).body == "ok");
  c.send_headers(3, post_fields("/no", {{"expect", "100-continue"}, {"content-length", "2"}}), false);
  const H2Response no = c.read_response(3);
  CHECK(no.body == "no");
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 3).error_code() == NGHTTP2_NO_ERROR);
}

TEST_CASE("HTTP/2: streams run beside each other") {
  Server s(server("location /slow { probe_wait 600s; } location / { return 200 fast; }"));
  H2Client c(s.port());
  c.request(1, "/slow");
  for (std::uint32_t id = 3; id < 41; id += 2) c.request(id, "/");
  for (std::uint32_t id = 39; id >= 3; id -= 2) CHECK(c.read_response(id).body == "fast");
  c.reset(1);
  c.request(41, "/");
  CHECK(c.read_response(41).body == "fast");
  CHECK(s.wait_for_log("client closed connection while the request was being processed"));
}

TEST_CASE("HTTP/2: one that takes nothing holds up no other, and the connection's window counts for all") {
  Server s(server("root %%DIR%%;"), {{"big", kBig}, {"small", "small"}});
  H2Client c(s.port());
  set_window(c, 0);
  c.request(1, "/big");
  c.request(3, "/small");
  CHECK(c.wait_for(NGHTTP2_HEADERS, 1).fields.size() > 3);
  c.open_window(3, 100);
  CHECK(c.read_response(3).body == "small");
  c.open_window(1, 10);
  CHECK(c.wait_for(NGHTTP2_DATA, 1).payload.size() == 10);
}

TEST_CASE("HTTP/2: http2_chunk_size and the client's frame size bound DATA") {
  Server s(server("root %%DIR%%; location /one { http2_chunk_size 1; return 200 body; } location /large { http2_chunk_size 64k; alias %%DIR%%/big; }"),
           {{"big", kBig.substr(0, 60'000)}});
  H2Client c(s.port());
  c.request(1, "/one");
  for (int i = 0; i < 4; ++i) CHECK(c.wait_for(NGHTTP2_DATA, 1).payload.size() == 1);
  c.request(3, "/large");
  CHECK(c.wait_for(NGHTTP2_DATA, 3).payload.size() == 16'384);
}

// The first GOAWAY: the end is near, but which stream is the last is not said yet. The PING that follows is not answered.
std::string announced_end(H2Client& c) {
  const Frame notice = c.wait_for(NGHTTP2_GOAWAY);
  CHECK(notice.error_code() == NGHTTP2_NO_ERROR);
  CHECK(notice.payload.substr(0, 4) == number_bytes(0x7fffffff));
  return c.wait_for(NGHTTP2_PING).payload;
}

TEST_CASE("HTTP/2: a reload announces the end: what is on its way still has its answer, what comes behind GOAWAY has not") {
  Server s(server("root %%DIR%%; location = /small { return 200 ok; }"), {{"big", kBig.substr(0, 100'000)}});
  H2Client c(s.port());
  c.open_window(0, 1 << 20);
  c.request(1, "/big");
  c.wait_for(NGHTTP2_HEADERS, 1);
  REQUIRE(s.reload());
  const std::string ping = announced_end(c);
  c.request(3, "/small");
  CHECK(c.read_response(3).body == "ok");
  c.send_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping);
  c.request(5, "/small");
  CHECK(c.wait_for(NGHTTP2_GOAWAY).payload.substr(0, 4) == number_bytes(3));
  c.reset(1);
  CHECK(c.raw().expect_close(kPatience));
}

TEST_CASE("HTTP/2: under compat nginx an idle connection hears at once which stream was the last") {
  Server s("compat nginx; " + server("location = /small { return 200 ok; }"));
  H2Client c(s.port());
  c.request(1, "/small");
  CHECK(c.read_response(1).body == "ok");
  s.signal(SIGQUIT);
  CHECK(c.wait_for(NGHTTP2_GOAWAY).payload.substr(0, 4) == number_bytes(1));
  CHECK(c.raw().expect_close(kPatience));
}

TEST_CASE("HTTP/2: QUIT says GOAWAY, finishes what has begun and takes nothing new") {
  Server s(server("root %%DIR%%;"), {{"big", kBig.substr(0, 100'000)}});
  H2Client c(s.port());
  c.request(1, "/big");
  c.wait_for(NGHTTP2_HEADERS, 1);
  s.signal(SIGQUIT);
  announced_end(c);  // and is not waited for long
  const Frame goaway = c.wait_for(NGHTTP2_GOAWAY);
  CHECK(goaway.error_code() == NGHTTP2_NO_ERROR);
  CHECK(goaway.payload.substr(0, 4) == number_bytes(1));
  c.request(3, "/big");
  c.open_window(0, 1 << 20);
  c.open_window(1, 1 << 20);
  std::size_t size = 0;
  for (bool ended = false; !ended;) {
    const Frame data = c.wait_for(NGHTTP2_DATA);
    CHECK(data.stream == 1);
    size += data.payload.size();
    ended = data.ends_stream();
  }
  CHECK(size == 100'000);
  CHECK(c.raw().expect_close(kPatience));
}

TEST_CASE("HTTP/2: an idle connection gets GOAWAY at QUIT, and at a reload") {
  Server s(server("return 200 ok;"));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.read_response(1).body == "ok");
  REQUIRE(s.reload());
  CHECK(c.gone_with(NGHTTP2_NO_ERROR));
  H2Client d(s.port());
  d.request(1, "/");
  CHECK(d.read_response(1).body == "ok");
  s.signal(SIGQUIT);
  CHECK(d.gone_with(NGHTTP2_NO_ERROR));
}

TEST_CASE("HTTP/2: TERM ends streams that are stuck, with GOAWAY") {
  Server s(server("root %%DIR%%; location /slow { probe_wait 600s; }"), {{"big", kBig}});
  H2Client c(s.port());
  c.request(1, "/big");
  c.request(3, "/slow");
  c.wait_for(NGHTTP2_HEADERS, 1);
  s.signal(SIGTERM);
  CHECK(c.gone_with(NGHTTP2_NO_ERROR));
}

TEST_CASE("HTTP/2: keepalive_requests, _timeout and its 0") {
  Server s(server("return 200 $connection_requests;", "keepalive_requests 2;"));
  H2Client c(s.port());
  c.request(1, "/");
  c.request(3, "/");
  CHECK(c.read_response(1).body == "1");
  CHECK(c.wait_for(NGHTTP2_GOAWAY).payload.substr(0, 4) == number_bytes(3));
  CHECK(c.read_response(3).body == "2");
  CHECK(c.raw().expect_close(kPatience));
  Server never(server("return 200 ok;", "keepalive_timeout 0;"));
  H2Client d(never.port());
  d.request(1, "/");
  CHECK(d.gone_with(NGHTTP2_NO_ERROR));
  CHECK(d.read_response(1).body == "ok");
  Server soon(server("return 200 ok;", "keepalive_timeout 300ms;"));
  H2Client e(soon.port());
  e.request(1, "/");
  CHECK(e.read_response(1).body == "ok");
  const Stopwatch watch(300ms);
  CHECK(e.gone_with(NGHTTP2_NO_ERROR));
}

TEST_CASE("HTTP/2: the log says what nginx's would") {
  Server s(server("access_log %%DIR%%/log f; location / { return 200 body; }",
                  "log_format f '$request|$status|$body_bytes_sent|$bytes_sent|$request_length|$http2|$request_completion';"));
  H2Client c(s.port());
  const std::string block = c.pack(get_fields("/"));
  c.send_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block);
  CHECK(c.read_response(1).body == "body");
  CHECK(s.wait_for_log("^GET / HTTP/2.0\\|200\\|4\\|[0-9]+\\|" + std::to_string(block.size()) + "\\|h2c\\|OK$", "log"));
}

TEST_CASE("HTTP/2: return 444 and a body that breaks off reset their stream alone") {
  Server s(server("location /gone { return 444; } location /half { probe_fail_body on; } location / { return 200 ok; }"));
  H2Client c(s.port());
  c.request(1, "/gone");
  CHECK(c.read_response(1).reset == NGHTTP2_INTERNAL_ERROR);
  c.request(3, "/half");
  const H2Response half = c.read_response(3);
  CHECK((half.body == "half" && half.reset >= 0));
  c.request(5, "/");
  CHECK(c.read_response(5).body == "ok");
}

TEST_CASE("HTTP/2: a client without SETTINGS is served, as nginx serves it") {
  Server s(server("return 200 ok;"));
  H2Client c(s.port(), false, H2Client::Start::silent);
  c.send(kPreface);
  c.request(1, "/");
  CHECK(c.read_response(1).body == "ok");
}

// The streams 1, 3 and 5, whose responses are larger than the connection's first window, as they end.
static std::vector<std::uint32_t> order_of_ends(H2Client& c) {
  for (std::uint32_t id : {1u, 3u, 5u}) CHECK(c.wait_for(NGHTTP2_HEADERS, id).fields[0].second == "200");
  for (std::size_t sent = 0; sent < 65'535;) sent += c.wait_for(NGHTTP2_DATA).payload.size();
  c.open_window(0, 1 << 20);
  std::vector<std::uint32_t> ends;
  while (ends.size() < 3) {
    const Frame data = c.wait_for(NGHTTP2_DATA);
    if (data.ends_stream()) ends.push_back(data.stream);
  }
  return ends;
}

TEST_CASE("HTTP/2: urgencies of RFC 9218 are obeyed") {
  Server s(server("root %%DIR%%;"), {{"big", kBig.substr(0, 300'000)}});
  H2Client c(s.port(), false, H2Client::Start::silent);
  c.send(kPreface);
  c.send_frame(NGHTTP2_SETTINGS, 0, 0, setting_bytes(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1) + setting_bytes(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20));
  c.request(1, "/big", {{"priority", "u=7"}});
  c.request(3, "/big", {{"priority", "u=0"}});
  c.request(5, "/big", {{"priority", "u=1"}});
  c.send_frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, number_bytes(5) + "u=6");
  CHECK(order_of_ends(c) == std::vector<std::uint32_t>{3, 5, 1});
}

TEST_CASE("HTTP/2: directives of nginx that are gone are accepted with its warnings") {
  const Run run = check_config("http2_push_preload on; http2_max_field_size 4k; http2_recv_buffer_size 256k; server { listen 127.0.0.1:%%PORT_0%%; http2_idle_timeout 3m; }");
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("the \"http2_push_preload\" directive is obsolete, ignored"));
  CHECK_THAT(run.err,
             ContainsSubstring("the \"http2_max_field_size\" directive is obsolete, use the \"large_client_header_buffers\" directive instead"));
  CHECK_THAT(run.err,
             ContainsSubstring("the \"http2_idle_timeout\" directive is obsolete, use the \"keepalive_timeout\" directive instead"));
  CHECK(check_config("http2_chunk_size 0; ").exit_code == 1);
}

TEST_CASE("HTTP/2: what http says of it holds in a server with http2 settings of its own") {
  Server off("http2 off; server { " + kTls + " http2_chunk_size 4k; return 200 ok; }", with_certificate());
  CHECK(negotiated(off, "\x02h2\x08http/1.1") == "http/1.1");
  Server on("http2 on; server { listen 127.0.0.1:%%PORT_0%%; http2_chunk_size 4k; return 200 ok; }");
  H2Client c(on.port());
  c.request(1, "/");
  CHECK(c.read_response(1).body == "ok");
}

TEST_CASE("HTTP/2: dependencies and weights of RFC 7540 are obeyed strictly, also those of streams that are still to come") {
  Server s(server("root %%DIR%%;"), {{"big", kBig.substr(0, 300'000)}});
  const auto priority = [](H2Client& c, std::uint32_t id, std::uint32_t on, int weight) {
    c.send_frame(NGHTTP2_PRIORITY, 0, id, number_bytes(on) + static_cast<char>(weight - 1));
  };
  H2Client c(s.port());
  set_window(c, 1 << 20);
  priority(c, 5, 0, 16);
  priority(c, 1, 5, 1);
  priority(c, 3, 5, 256);
  for (std::uint32_t id : {1u, 3u, 5u}) c.request(id, "/big");
  CHECK(order_of_ends(c) == std::vector<std::uint32_t>{5, 3, 1});
}

TEST_CASE("HTTP/2: a stream of little weight goes on while the others wait for their windows") {
  Server s(server("root %%DIR%%;"), {{"big", kBig.substr(0, 300'000)}});
  H2Client c(s.port());
  c.open_window(0, 1 << 20);
  c.send_frame(NGHTTP2_PRIORITY, 0, 1, number_bytes(0) + static_cast<char>(255));
  c.send_frame(NGHTTP2_PRIORITY, 0, 3, number_bytes(1) + static_cast<char>(0));
  c.request(1, "/big");
  for (std::size_t sent = 0; sent < 65'535;) sent += c.wait_for(NGHTTP2_DATA, 1).payload.size();
  c.request(3, "/big");
  for (std::size_t sent = 0; sent < 65'535;) sent += c.wait_for(NGHTTP2_DATA, 3).payload.size();
}

TEST_CASE("HTTP/2: a body that is kept whole gets a window for it") {
  Server s(server("client_max_body_size 0; location / { proxy_pass http://127.0.0.1:%%PORT_0%%/up; } location /up { return 200; }"));
  H2Client c(s.port());
  c.send_headers(1, post_fields("/"), false);
  const Frame update = c.wait_for(NGHTTP2_WINDOW_UPDATE, 1);
  CHECK(update.payload >= number_bytes(65'536));
  c.send_data(1, std::string(10'000, 'a'), true);
  CHECK(c.read_response(1).status == 200);
}

TEST_CASE("HTTP/2: who has sent nothing of a body that nobody wants hears so at once") {
  Server s(server("return 200 ok;"));
  H2Client c(s.port());
  c.send_headers(1, post_fields("/"), false);
  CHECK(c.read_response(1).body == "ok");
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 1).error_code() == NGHTTP2_NO_ERROR);
}

TEST_CASE("HTTP/2: a response head may be longer than 64k") {
  Server s(server("large_client_header_buffers 4 64k; add_header X-A $arg_a; add_header X-B $arg_a; add_header X-C $arg_a; return 200 ok;"));
  H2Client c(s.port());
  c.send_frame(NGHTTP2_SETTINGS, 0, 0, setting_bytes(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1 << 18));
  c.request(1, "/?a=" + std::string(24'000, 'a'));
  const H2Response r = c.read_response(1);
  CHECK(r.status == 200);
  CHECK(r.header("x-c") == std::string(24'000, 'a'));
}
