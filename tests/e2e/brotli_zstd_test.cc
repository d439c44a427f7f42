// brotli, zstd, and the choice among the codings.
#include "catch.h"

#include <brotli/decode.h>
#include <sys/stat.h>
#include <zstd.h>

#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kText = [] {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "line " + std::to_string(i * 7919 % 1000) + " of a page\n";
  return text;
}();

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ");
  return text.append(inside).append(" }");
}

// What can be read of it so far.
std::string unbrotli(std::string_view bytes) {
  BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  std::string text;
  std::size_t left = bytes.size();
  auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
    std::uint8_t room[16384];
    std::uint8_t* to = room;
    std::size_t free = sizeof room;
    result = BrotliDecoderDecompressStream(state, &left, &next, &free, &to, nullptr);
    text.append(reinterpret_cast<char*>(room), sizeof room - free);
  }
  BrotliDecoderDestroyInstance(state);
  return result == BROTLI_DECODER_RESULT_ERROR ? "!no brotli" : text;
}

std::string unzstd(std::string_view bytes) {
  ZSTD_DCtx* context = ::ZSTD_createDCtx();
  std::string text;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    char room[16384];
    ZSTD_outBuffer out{room, sizeof room, 0};
    const std::size_t result = ::ZSTD_decompressStream(context, &out, &in);
    if (::ZSTD_isError(result)) text = "!no zstd";
    else text.append(room, out.pos);
    if (::ZSTD_isError(result) || out.pos < sizeof room) break;
  }
  ::ZSTD_freeDCtx(context);
  return text;
}

std::string coding_of(const Server& s, const std::string& accept_encoding) {
  return get(s.url("/a"), {"Accept-Encoding: " + accept_encoding}).header("Content-Encoding");
}

}  // namespace

TEST_CASE("brotli and zstd compress what is at hand and what is long") {
  Server s(server("location /br/ { alias %%DIR%%/; brotli on; brotli_comp_level 4; }"
                  "location /zstd/ { alias %%DIR%%/; zstd on; zstd_comp_level 3; }"),
           {{"long", kText}, {"short", kText.substr(0, 5000)}});
  for (const auto& [path, text] : {std::pair<std::string, std::string>("long", kText), {"short", kText.substr(0, 5000)}}) {
    const Response br = get(s.url("/br/" + path), {"Accept-Encoding: br"});
    CHECK(br.header("Content-Encoding") == "br");
    CHECK(br.header("ETag").starts_with("W/"));
    CHECK(unbrotli(br.body) == text);
    for (int i = 0; i < 2; ++i) {
      const Response zstd = get(s.url("/zstd/" + path), {"Accept-Encoding: zstd"});
      CHECK(zstd.header("Content-Encoding") == "zstd");
      CHECK(unzstd(zstd.body) == text);
    }
  }
  CHECK(get(s.url("/br/short"), {"Accept-Encoding: gzip, zstd"}).count("Content-Encoding") == 0);
}

TEST_CASE("brotli and zstd do not hold back what a stream has said before it pauses") {
  for (const std::string coding : {"br", "zstd"}) {
    const std::string directive = coding == "br" ? "brotli" : "zstd";
    Server s(with_probe(server(directive + " on; add_header Content-Type text/html; probe_stream 2 100 1ms;")));
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + coding + "\r\n\r\n");
    c.read_until("\r\n\r\n");
    const std::string first = c.read(std::stoul(c.read_until("\r\n"), nullptr, 16));
    CHECK((coding == "br" ? unbrotli(first) : unzstd(first)) == std::string(100, 'x'));
    c.read_until("\r\n0\r\nX-Pieces: 2\r\n\r\n");
  }
}

TEST_CASE("among several codings the client's wish comes first, then zstd, br, gzip") {
  Server s(server("gzip on; brotli on; zstd on;"), {{"a", kText}});
  CHECK(coding_of(s, "gzip, deflate, br, zstd") == "zstd");
  CHECK(coding_of(s, "gzip, deflate, br") == "br");
  CHECK(coding_of(s, "gzip") == "gzip");
  CHECK(coding_of(s, "zstd;q=0.1, br;q=0.5, gzip;q=0.9") == "gzip");
  CHECK(coding_of(s, "zstd;q=0, br;q=0.5") == "br");
  CHECK(coding_of(s, "identity") == "");
}

TEST_CASE("each coding has its own types and lengths") {
  Server s(server("gzip on; brotli on; brotli_min_length 10m; zstd on; zstd_types text/css;"
                  "location /css { default_type text/css; }"),
           {{"a", kText}, {"css", kText}});
  CHECK(coding_of(s, "gzip, br") == "gzip");
  CHECK(get(s.url("/css"), {"Accept-Encoding: zstd, gzip"}).header("Content-Encoding") == "zstd");
}

TEST_CASE("brotli_static and zstd_static send files that were compressed before") {
  Server s(server("gzip_static on; brotli_static on; zstd_static on;"),
           {{"a", "plain"}, {"a.gz", "in gzip"}, {"a.br", "in br"}, {"a.zst", "in zstd"}, {"b", "plain"}, {"b.gz", "in gzip"}});
  const auto body = [&](const char* path, const char* accepted) {
    return get(s.url(path), {std::string("Accept-Encoding: ") + accepted}).body;
  };
  CHECK(body("/a", "gzip, br, zstd") == "in zstd");
  CHECK(body("/a", "gzip, br") == "in br");
  CHECK(body("/a", "gzip, br;q=0.5") == "in gzip");
  CHECK(body("/a", "identity") == "plain");
  CHECK(body("/b", "gzip, br, zstd") == "in gzip");
}

TEST_CASE("$brotli_ratio and $zstd_ratio are those of their coding") {
  Server s("log_format ratio '$uri br=$brotli_ratio zstd=$zstd_ratio gzip=$gzip_ratio'; access_log %%DIR%%/access.log ratio;" +
               server("brotli on; zstd on;"),
           {{"a", std::string(10'000, 'x')}, {"b", std::string(10'000, 'x')}});
  get(s.url("/a"), {"Accept-Encoding: br"});
  get(s.url("/b"), {"Accept-Encoding: zstd"});
  CHECK(s.wait_for_log("^/a br=[0-9]+\\.[0-9][0-9] zstd=- gzip=-$", "access.log"));
  CHECK(s.wait_for_log("^/b br=- zstd=[0-9]+\\.[0-9][0-9] gzip=-$", "access.log"));
}

TEST_CASE("brotli and zstd refuse levels that there are not") {
  CHECK_THAT(check_config(server("brotli_comp_level 12;")).err, ContainsSubstring("value must be between 0 and 11 in "));
  CHECK_THAT(check_config(server("zstd_comp_level 23;")).err, ContainsSubstring("value must be between 1 and 22 in "));
  CHECK_THAT(check_config(server("brotli_window 3k;")).err, ContainsSubstring("\"brotli_window\" directive must be 1k, "));
}

TEST_CASE("the slowest levels hold up nobody else, and what they have made of a file is kept") {
  const std::string text = kText.substr(0, 250'000);
  Server s("log_format who '$uri $sent_http_content_length'; access_log %%DIR%%/access.log who; " +
               server("location /br { brotli on; brotli_comp_level 11; } location /zstd { zstd on; zstd_comp_level 22; } location = /quick { return 200 quick; } http2 on;"),
           {{"br/page", text}, {"zstd/page", text}, {"br/new", text}, {"zstd/new", text}});
  struct stat last {};  // only what was made of an old file is kept, and ctime cannot be set
  REQUIRE(::stat((s.folder() + "/zstd/new").c_str(), &last) == 0);
  REQUIRE(wait_until([&] { return ::time(nullptr) - last.st_ctim.tv_sec >= 3; }));
  for (const auto& [path, coding] : {std::pair<std::string, std::string>{"/br/page", "br"}, {"/zstd/page", "zstd"}}) {
    RawClient slow(s.port());
    slow.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + coding + "\r\n\r\n");
    CHECK(get(s.url("/quick")).body == "quick");
    const Response first = slow.read_response();
    CHECK(first.header("content-encoding") == coding);
    CHECK((coding == "br" ? unbrotli(first.body) : unzstd(first.body)) == text);
    const Response again = get(s.url(path), {"Accept-Encoding: " + coding});
    CHECK(again.body == first.body);
    CHECK(again.header("content-length") == std::to_string(first.body.size()));
  }
  // What comes together for a new file does not have it made for each.
  for (const auto& [path, coding] : {std::pair<std::string, std::string>{"/br/new", "br"}, {"/zstd/new", "zstd"}}) {
    H2Client crowd(s.port());
    std::string requests;
    for (const std::uint32_t id : {1u, 3u})
      requests += frame_bytes(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id,
                              crowd.pack(get_fields(path, {{"accept-encoding", coding}})));
    crowd.open_window(0, 1 << 20);
    crowd.send(requests);
    for (const std::uint32_t id : {1u, 3u}) crowd.open_window(id, 1 << 20);
    const H2Response first = crowd.read_response(1), second = crowd.read_response(3);
    CHECK(first.header("content-encoding") == coding);
    CHECK(second.header("content-encoding") == "");
    CHECK(second.body == text);
  }
  s.stop();
  const std::string log = s.read("access.log");
  CHECK(log.substr(0, log.find('\n')) == "/quick 5");  // it came second, and was ready first
}
