// Server side includes.
#include <condition_variable>
#include <mutex>

#include "catch.h"

#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ssi on; ");
  return text.append(inside).append(" }");
}

const std::string kError = "[an error occurred while processing the directive]";

}  // namespace

TEST_CASE("ssi includes other URIs, in other pages, too") {
  Server s(server("location = /args { return 200 '<$args>'; } location = /closed { return 444; }"
                  "location /plain/ { ssi off; } location = /inner { internal; return 200 '(<!--#echo var=\"v\" -->)'; }"),
           {{"dir/page", "a<!--#include virtual=\"/dir/part\" -->b"
                        "<!--# include virtual=\"part?x=1\" -->c<!--#include file='part' -->"},
            {"dir/part", "{<!--#include virtual=\"deep.html\" -->}"},
            {"dir/deep.html", "deep"},
            {"query", "<!--#set var=\"n\" value=\"2\" --><!--#include virtual=\"/args?a=$n&b=${arg_q}\" wait=\"yes\" -->"},
            {"shared", "<!--#set var=\"v\" value=\"1\" --><!--#include virtual=\"/inner\" -->"},
            {"gone", "a<!--#include virtual=\"/closed\" -->b"},
            {"cycle", "<!--#include virtual=\"/cycle\" -->"},
            {"plain/page", "a<!--#include virtual=\"/dir/part\" -->"}});
  const Response page = get(s.url("/dir/page"), {"Range: bytes=0-1"});
  CHECK(page.status == 200);
  CHECK(page.body == "a{deep}b{deep}c{deep}");
  for (const char* field : {"ETag", "Last-Modified", "Accept-Ranges"}) CHECK(page.count(field) == 0);
  CHECK(get(s.url("/query?q=z")).body == "<a=2&b=z>");
  CHECK(get(s.url("/shared")).body == "(1)");
  CHECK(get(s.url("/gone")).body == "ab");
  CHECK(get(s.url("/plain/page")).body == "a<!--#include virtual=\"/dir/part\" -->");
  CHECK(get(s.url("/cycle")).body.empty());
  CHECK_THAT(s.error_log(), ContainsSubstring("subrequests cycle while processing \"/cycle\""));
}

TEST_CASE("ssi echoes variables in their encodings, and sets them") {
  Server s(server(""),
           {{"echo", "<!--#echo var=\"arg_a\" -->,<!--#echo var=\"arg_a\" encoding=\"none\" -->,"
                     "<!--#echo var=\"arg_a\" encoding=\"url\" -->,"
                     "<!--#echo var=\"nothing\" -->,<!--#echo var=\"nothing\" default=\"else\" -->"},
            {"set", "<!--#set var=\"x\" value=\"1\" --><!--#set var=\"x\" value=\"$x${X}\\$x\" --><!--#echo var=\"x\" -->"},
            {"date", "<!--#config timefmt=\"%Y\" --><!--#echo var=\"date_gmt\" -->"
                     "<!--#config timefmt=\"%s\" -->,<!--#echo var=\"date_local\" -->"},
            {"into", "<!--#include virtual=\"/echo?a=$arg_a\" set=\"got\" -->[<!--#echo var=\"got\" encoding=\"none\" -->]"}});
  CHECK(get(s.url("/echo?a=%3Cb%3E&c")).body == "%3Cb%3E,%3Cb%3E,%253Cb%253E,(none),else");
  CHECK(get(s.url("/echo?a=<'%22")).body == "&lt;'%22,<'%22,%3C'%2522,(none),else");
  CHECK(get(s.url("/set")).body == "11$x");
  CHECK(get(s.url("/date")).body.find("20") == 0);
  CHECK(get(s.url("/date")).body.size() == 4 + 1 + 10);
  CHECK(get(s.url("/into?a=1")).body == "[1,1,1,(none),else]");
}

TEST_CASE("an answer too big for a variable ends the page before it begins") {
  Server s(server("location = /long { subrequest_output_buffer_size 8; return 200 123456789; }"
                  "location = /fits { subrequest_output_buffer_size 8; return 200 12345678; }"),
           {{"long.html", "<!--#include virtual=\"/long\" set=\"x\" --><!--#echo var=\"x\" -->"},
            {"fits.html", "<!--#include virtual=\"/fits\" set=\"x\" --><!--#echo var=\"x\" -->"}});
  CHECK(get(s.url("/fits.html")).body == "12345678");
  RawClient c(s.port());
  c.send("GET /long.html HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_all().empty());
  CHECK_THAT(s.error_log(), ContainsSubstring("too big subrequest response"));
}

TEST_CASE("ssi conditions, also inside each other") {
  const auto branches = [](const std::string& one, const std::string& two) {
    return "<!--#if expr=\"" + one + "\" -->1<!--#elif expr=\"" + two + "\" -->2<!--#else -->3<!--#endif -->.";
  };
  Server s(server(""), {{"values", branches("$arg_a = 1", "$arg_a != 2")},
                        {"empty", branches("$arg_a", "$arg_b")},
                        {"regex", "<!--#if expr=\"$arg_a = /^(.)(?<rest>.*)\\$/\" -->"
                                  "<!--#echo var=\"1\" -->-<!--#echo var=\"rest\" --><!--#endif -->"},
                        {"nested", "<!--#if expr=\"$arg_a\" -->a"
                                   "<!--#if expr=\"$arg_b\" -->b<!--#else -->c<!--#endif -->d<!--#else -->" +
                                       branches("$arg_b", "x") + "<!--#endif -->"}});
  CHECK(get(s.url("/values?a=1")).body == "1.");
  CHECK(get(s.url("/values?a=3")).body == "2.");
  CHECK(get(s.url("/values?a=2")).body == "3.");
  CHECK(get(s.url("/empty?a=1&b=1")).body == "1.");
  CHECK(get(s.url("/empty?b=1")).body == "2.");
  CHECK(get(s.url("/empty")).body == "3.");
  CHECK(get(s.url("/regex?a=xyz")).body == "x-yz");
  CHECK(get(s.url("/nested?a=1&b=1")).body == "abd");
  CHECK(get(s.url("/nested?a=1")).body == "acd");
  CHECK(get(s.url("/nested?b=1")).body == "1.");
  CHECK(get(s.url("/nested")).body == "2.");
}

TEST_CASE("ssi blocks stand where an inclusion brings nothing") {
  Server s(server("location = /nothing { return 200; } location = /something { return 200 some; }"),
           {{"page", "<!--#block name=\"one\" -->block <!--#echo var=\"arg_a\" --><!--#endblock -->"
                     "<!--#include virtual=\"/nothing\" stub=\"one\" -->,"
                     "<!--#include virtual=\"/something\" stub=\"one\" -->,"
                     "<!--#include virtual=\"/missing\" stub=\"one\" -->"}});
  CHECK(get(s.url("/page?a=A")).body == "block A,some,block A");
}

TEST_CASE("an ssi command that fails is told, or nothing at all") {
  Server s(server("location /silent { ssi_silent_errors on; alias %%DIR%%/wrong; }"),
           {{"wrong", "a<!--#nonsense -->b"},
            {"own", "<!--#config errmsg=\"oops\" --><!--#include -->,<!--#echo -->,"
                    "<!--#echo var='a' var='b' -->,<!--#echo vra='a' -->,"
                    "<!--#endif -->,<!--#if expr='$a ? b' -->,<!--#echo var=a -->,<!--#include virtual='/../x' -->,"
                    "<!--#include virtual='/x' stub='none' -->,<!--#echo var='" + std::string(300, 'v') + "' -->"},
            {"open", "a<!--#echo var=\"b\""},
            {"comment", "<!-- # no command --><!-"}});
  CHECK(get(s.url("/wrong")).body == "a" + kError + "b");
  CHECK(get(s.url("/silent")).body == "ab");
  std::string expected = "oops";
  for (int i = 1; i < 10; ++i) expected += ",oops";
  CHECK(get(s.url("/own")).body == expected);
  CHECK(get(s.url("/open")).body == "a<!--#echo var=\"b\"");
  CHECK(get(s.url("/comment")).body == "<!-- # no command --><!-");
  CHECK_THAT(s.error_log(), ContainsSubstring("invalid SSI command: \"nonsense\"") &&
                                ContainsSubstring("mandatory \"var\" parameter is absent in \"echo\" SSI command") &&
                                ContainsSubstring("invalid parameter name: \"vra\" in \"echo\" SSI command"));
}

TEST_CASE("an ssi command that lies over the border of two pieces, and pages that are compressed") {
  // Some command lies over each border of what is read of a file at a time.
  std::string text, expected;
  for (int i = 0; i < 20'000; ++i) {
    text += "<!--#echo var=\"arg_a\" -->";
    expected += "12345";
  }
  Server s(server("gzip on;"), {{"page", text}});
  CHECK(get(s.url("/page?a=12345")).body == expected);
  CHECK(ungzip(get(s.url("/page?a=12345"), {"Accept-Encoding: gzip"}).body) == expected);
}

TEST_CASE("a client that leaves while an inclusion is awaited") {
  Server s(with_probe("log_format status $status; access_log %%DIR%%/access.log status;" +
                      server("location /slow { probe_wait 30s; }")),
           {{"page", "first<!--#include virtual=\"/slow\" -->"}});
  RawClient c(s.port());
  c.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("first");
  c.reset();
  CHECK(s.wait_for_log("200", "access.log"));
}

TEST_CASE("ssi pages that include without end, double their values or open more than they close come to an end") {
  std::string open;
  for (int i = 0; i < 20'000; ++i) open += "<!--#if expr=\"a\" -->";
  std::string doubling = "<!--#set var=\"a\" value=\"0123456789\" -->";
  for (int i = 0; i < 40; ++i) doubling += "<!--#set var=\"a\" value=\"$a$a\" -->";
  std::string begun;
  for (int i = 0; i < 40'000; ++i) begun += "<!--#x";
  Server s(server(""), {{"stub", "<!--#block name=\"x\" --><!--#include virtual=\"/none\" stub=\"x\" --><!--#endblock -->a"
                                 "<!--#include virtual=\"/none\" stub=\"x\" -->b"},
                        {"twice", "<!--#include virtual=\"/twice\" --><!--#include virtual=\"/twice\" -->c"},
                        {"open", open + "shown"}, {"doubling", doubling + "d"}, {"begun", begun + "e"}});
  const std::string stub = get(s.url("/stub")).body;
  CHECK(stub.starts_with("a"));
  CHECK(stub.ends_with("b"));
  CHECK(get(s.url("/twice")).body.ends_with("c"));
  CHECK(get(s.url("/open")).body == "shown");
  CHECK(get(s.url("/doubling")).body.ends_with("d"));
  CHECK(get(s.url("/begun")).body.ends_with("e"));
  CHECK(s.wait_for_log("too many inclusions for one request"));
  CHECK(s.wait_for_log("too long a value in an SSI command"));
}

namespace {

// Answers with the path it was asked for, once `together` of them have come; remembers how many were there at once.
class Meeting {
 public:
  explicit Meeting(int together) : together_(together) {}
  void play(RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    {
      std::unique_lock lock(mutex_);
      most_ = std::max(most_, ++present_);
      ++come_;
      arrived_.notify_all();
      arrived_.wait_for(lock, kPatience, [&] { return come_ >= together_; });
      --present_;
    }
    const auto path = head.substr(4, head.find(' ', 4) - 4);
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  const int together_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  int present_ = 0, come_ = 0, most_ = 0;
};

}  // namespace

TEST_CASE("ssi asks for inclusions at the same time, and shows them in their order") {
  Meeting meeting(3);
  Upstream up([&](RawClient& c) { meeting.play(c); });
  Server s(server("location /a/ { proxy_pass " + up.url() + "; }"),
           {{"page", "1<!--#include virtual=\"/a/x\" -->2<!--#include virtual=\"/a/y\" --><!--#include virtual=\"/a/z\" -->3"}});
  CHECK(get(s.url("/page")).body == "1/a/x2/a/y/a/z3");
  CHECK(meeting.most() == 3);
}

TEST_CASE("ssi asks for sixteen inclusions of a request at once, however many pages they are in") {
  Meeting meeting(12);  // beside the four pages
  Upstream up([&](RawClient& c) { meeting.play(c); });
  std::string page, pages, all;
  for (int i = 0; i < 16; ++i) page += "<!--#include virtual=\"/a/\" -->";
  for (int i = 0; i < 64; ++i) all += "/a/";
  for (int i = 0; i < 4; ++i) pages += "<!--#include virtual=\"/inner\" -->";
  Server s(server("location /a/ { proxy_pass " + up.url() + "; }"), {{"page", pages}, {"inner", page}});
  CHECK(get(s.url("/page")).body == all);
  CHECK(meeting.most() <= 16);
}

TEST_CASE("ssi waits for an inclusion that says so, or that a variable or a block depends on") {
  Meeting meeting(1);
  Upstream up([&](RawClient& c) { meeting.play(c); });
  Server s(server("location /a/ { proxy_pass " + up.url() + "; }"),
           {{"page", "<!--#block name=\"b\" -->B<!--#endblock --><!--#include virtual=\"/a/w\" wait=\"yes\" -->"
                     "<!--#include virtual=\"/a/x\" set=\"v\" --><!--#include virtual=\"/a/y\" stub=\"b\" -->"
                     "<!--#include virtual=\"$v/z\" -->"}});
  CHECK(get(s.url("/page")).body == "/a/w/a/y/a/x/z");
  CHECK(meeting.most() == 1);
}

TEST_CASE("what parallel inclusions set is set for the page, and what is asked once is the same in all") {
  Meeting meeting(2);
  Upstream up([&](RawClient& c) { meeting.play(c); });
  Server s("map $x$y $z { default $x$y; } "
           + server("location /a/ { set $x 1; proxy_pass " + up.url() + "/$request_id; } location /b/ { set $y 2; proxy_pass " + up.url() + "/$request_id; }"
                    " location /c { return 200 \"$x,$y,$request_id\"; }"),
           {{"page", "<!--#include virtual=\"/a/\" --><!--#include virtual=\"/b/\" wait=\"yes\" -->,<!--#include virtual=\"/c\" -->"}});
  const std::string body = get(s.url("/page")).body;
  REQUIRE(body.size() == 2 * 33 + 1 + 4 + 32);
  const std::string id = body.substr(1, 32);
  CHECK(body == "/" + id + "/" + id + ",1,2," + id);
}

TEST_CASE("the page of an error is no value for a variable of ssi") {
  const std::string include = "<!--#include virtual=\"/away\" set=\"v\" --><!--#include virtual=\"/none\" set=\"w\" -->";
  Server s(server("location = /away { return 302 /; } location = /good { return 201 good; }"),
           {{"page", "<!--#set var=\"v\" value=\"before\" -->" + include + "[<!--#echo var=\"v\" -->|<!--#echo var=\"w\" -->]"
                     "<!--#include virtual=\"/good\" set=\"v\" -->[<!--#echo var=\"v\" -->]"}});
  CHECK(get(s.url("/page")).body == "[before|][good]");
}

TEST_CASE("all variables and blocks of an ssi request together are bounded") {
  std::string page = "<!--#set var=\"a\" value=\"0123456789abcdef\" -->", blocks;
  for (int i = 0; i < 11; ++i) page += "<!--#set var=\"a\" value=\"$a$a\" -->";
  for (int i = 0; i < 40; ++i) page += "<!--#set var=\"v" + std::to_string(i) + "\" value=\"$a\" -->";
  for (int i = 0; i < 40; ++i) blocks += "<!--#block name=\"b" + std::to_string(i) + "\" -->" + std::string(32'768, 'b') + "<!--#endblock -->";
  const auto uses = [](const std::string& what) { return "<!--#if expr=\"$" + what + "\" -->yes<!--#else -->no<!--#endif -->"; };
  Server s(server("location = /nothing { return 200; }"),
           {{"page", page + uses("v9") + uses("v39") + "<!--#set var=\"a\" value=\"1\" --><!--#set var=\"v39\" value=\"now\" -->" + uses("v39")},
            {"blocks", blocks + "<!--#include virtual=\"/nothing\" stub=\"b0\" -->,<!--#include virtual=\"/nothing\" stub=\"b39\" -->,"}});
  const std::string shown = get(s.url("/page")).body;
  CHECK_THAT(shown, ContainsSubstring(kError) && Catch::Matchers::EndsWith("yesnoyes"));
  const std::string stubs = get(s.url("/blocks")).body;
  CHECK_THAT(stubs, ContainsSubstring(std::string(32'768, 'b') + ",") && ContainsSubstring(kError));
  CHECK(s.wait_for_log("too much in the variables and blocks of an SSI page"));
}
