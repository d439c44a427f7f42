// Variables that say something about a client: browser, secure_link, userid.
#include "catch.h"

#include <ctime>

#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; server_name site.test *.of.test; ");
  return text.append(inside).append(" }");
}

std::string refusal(std::string_view inside) {
  const Run run = check_config(server(inside));
  CHECK(run.exit_code == 1);
  return run.err;
}

std::string got(const Server& s, const char* path, const std::string& field) { return get(s.url(path), {field}).body; }

// The value of NAME=VALUE in Set-Cookie.
std::string cookie_of(const Response& r) {
  const std::string field = r.header("Set-Cookie");
  return field.substr(0, field.find(';'));
}

}  // namespace

TEST_CASE("browsers are modern or ancient") {
  Server s(server("location /listed { modern_browser msie 6.0; modern_browser gecko 1.0.0; modern_browser opera 9;"
                  "modern_browser safari 413;"
                  "modern_browser konqueror 3.0; modern_browser_value new; ancient_browser_value old; ancient_browser Lynx;"
                  "return 200 '$modern_browser$ancient_browser'; }"
                  "location /unlisted { modern_browser unlisted; ancient_browser Links Lynx netscape4;"
                  "return 200 '$modern_browser:$ancient_browser'; }"
                  "location /msie { return 200 '<$msie>'; }"));
  const auto listed = [&](const char* agent) { return got(s, "/listed", std::string("User-Agent: ") + agent); };
  CHECK(listed("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)") == "new");
  CHECK(listed("Mozilla/4.0 (compatible; MSIE 5.5; Windows NT 5.1)") == "old");
  CHECK(listed("Mozilla/5.0 (X11; U; FreeBSD i386; en-US; rv:1.8.0.5) Gecko/20060729 Firefox/1.5.0.5") == "new");
  CHECK(listed("Mozilla/5.0 (X11; U; Linux i686; en-US; rv:0.9.4) Gecko/20020610") == "old");
  CHECK(listed("Opera/9.01 (X11; FreeBSD 6 i386; U; en)") == "new");
  CHECK(listed("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.0; en) Opera 8.0") == "old");
  CHECK(listed("Mozilla/5.0 (Macintosh; U; PPC Mac OS X; en) AppleWebKit/418 (KHTML, like Gecko) Safari/417.9.3") == "new");
  CHECK(listed("Mozilla/5.0 (compatible; Konqueror/2.9; Linux)") == "old");
  CHECK(listed("curl/8") == "old");
  CHECK(got(s, "/unlisted", "User-Agent: curl/8") == "1:");
  CHECK(got(s, "/unlisted", "User-Agent: Lynx 2.8") == ":1");
  CHECK(got(s, "/unlisted", "User-Agent: Mozilla/4.72 [en] (X11; U; Linux)") == ":1");
  CHECK(got(s, "/unlisted", "User-Agent;") == "1:");
  CHECK(got(s, "/msie", "User-Agent: Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)") == "<1>");
  CHECK(got(s, "/msie", "User-Agent: Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1) Opera 9") == "<>");
  CHECK_THAT(refusal("modern_browser lynx 1;"), ContainsSubstring("unknown browser name \"lynx\" in "));
  CHECK_THAT(refusal("modern_browser msie 6x;"), ContainsSubstring("invalid browser version \"6x\" in "));
}

TEST_CASE("secure links") {
  Server s(server("location /md5 { secure_link $arg_hash; secure_link_md5 'secret$arg_text'; return 200 '<$secure_link>'; }"
                  "location /until { secure_link $arg_hash,$arg_until; secure_link_md5 'secret$arg_text';"
                  "return 200 '<$secure_link $secure_link_expires>'; }"
                  "location /p/ { secure_link_secret secret; return 200 '<$secure_link>'; }"));
  const auto hash_of = [&](const std::string& text, const char* how) {
    const std::string file = make_folder() + "/text";
    write_file(file, text);
    const std::string command = "openssl md5 -binary " + file + " | " + how + " > " + file + ".out";
    REQUIRE(std::system(command.c_str()) == 0);
    return read_file(file + ".out");
  };
  const std::string hash = hash_of("secret/link", "base64 | tr +/ -_ | tr -d '=\\n'");
  const std::string hex = hash_of("link/a?b=csecret", "od -An -tx1 | tr -d ' \\n'");
  CHECK(get(s.url("/md5?text=/link&hash=" + hash)).body == "<1>");
  CHECK(get(s.url("/md5?text=/link&hash=" + hash + "==")).body == "<1>");
  CHECK(get(s.url("/md5?text=/other&hash=" + hash)).body == "<>");
  CHECK(get(s.url("/md5?text=/link&hash=short")).body == "<>");
  const std::string later = std::to_string(std::time(nullptr) + 1000);
  CHECK(get(s.url("/until?text=/link&until=" + later + "&hash=" + hash)).body == "<1 " + later + ">");
  CHECK(get(s.url("/until?text=/link&until=1000&hash=" + hash)).body == "<0 1000>");
  CHECK(get(s.url("/until?text=/link&until=x&hash=" + hash)).body == "< >");
  CHECK(get(s.url("/p/" + hex + "/link/a?b=c")).body == "<link/a?b=c>");
  CHECK(get(s.url("/p/" + hex + "/link/b?b=c")).body == "<>");
  CHECK(get(s.url("/p/" + hex)).body == "<>");
  CHECK(get(s.url("/p/z" + hex.substr(1) + "/link/a?b=c")).body == "<>");
  CHECK_THAT(refusal("secure_link $uri; secure_link_secret x;"),
             ContainsSubstring("\"secure_link_secret\" cannot be mixed with \"secure_link\" and \"secure_link_md5\""));
}

TEST_CASE("userid gives each client a cookie, once") {
  Server s("log_format uid '$uri got=$uid_got set=$uid_set'; access_log %%DIR%%/access.log uid;" +
           server("userid on; userid_name u; userid_domain site.test; userid_path /p; userid_expires 365d;"
                  "userid_flags secure httponly samesite=lax; userid_p3p policy; location / { return 200 a; }"
                  "location /reset { set $uid_reset 1; return 200 a; } location /off { userid off; return 200 a; }"
                  "location /log { userid log; return 200 a; } location /max { userid_expires max; return 200 a; }"
                  "location /v1 { userid v1; userid_service 5; return 200 a; }"));
  const Response first = get(s.url("/"));
  CHECK_THAT(first.header("Set-Cookie"),
             ContainsSubstring("; expires=") &&
                 ContainsSubstring("; domain=site.test; path=/p; secure; httponly; samesite=lax"));
  CHECK(first.header("P3P") == "policy");
  const std::string cookie = cookie_of(first);
  REQUIRE(cookie.size() == 26);
  CHECK(cookie.starts_with("u="));
  CHECK(cookie.ends_with("=="));
  CHECK(cookie_of(get(s.url("/"))) != cookie);
  CHECK(get(s.url("/"), {"Cookie: x=1; " + cookie}).count("Set-Cookie") == 0);
  CHECK(get(s.url("/log")).count("Set-Cookie") == 0);
  CHECK(get(s.url("/off")).count("Set-Cookie") == 0);
  CHECK(get(s.url("/reset"), {"Cookie: " + cookie}).count("Set-Cookie") == 1);
  CHECK_THAT(get(s.url("/max")).header("Set-Cookie"), ContainsSubstring("; expires=Thu, 31-Dec-37 23:55:55 GMT"));
  CHECK(cookie_of(get(s.url("/v1"))).starts_with("u=BQAAA"));
  CHECK(get(s.url("/"), {"Cookie: u=short"}).count("Set-Cookie") == 1);
  CHECK(s.wait_for_log("^/ got=- set=u=0100007F[0-9A-F]{24}$", "access.log"));
  CHECK(s.wait_for_log("^/ got=u=0100007F[0-9A-F]{24} set=-$", "access.log"));
  CHECK(s.wait_for_log("client sent too short userid cookie \"u=short\""));
}

TEST_CASE("userid_mark gives the same number with another mark") {
  Server s(server("userid on; userid_mark =; location / { return 200 a; } location /other { userid_mark t; return 200 a; }"));
  const std::string cookie = cookie_of(get(s.url("/")));
  CHECK(cookie.ends_with("=="));
  CHECK(get(s.url("/"), {"Cookie: " + cookie}).count("Set-Cookie") == 0);
  const std::string other = cookie_of(get(s.url("/other"), {"Cookie: " + cookie}));
  CHECK(other == cookie.substr(0, cookie.size() - 2) + "t=");
  CHECK_THAT(refusal("userid_mark ab;"), ContainsSubstring("value must be \"off\" or a single letter, digit or \"=\""));
  CHECK_THAT(refusal("userid sometimes;"), ContainsSubstring("invalid value \"sometimes\""));
  CHECK_THAT(refusal("userid_flags a;"), ContainsSubstring("invalid value \"a\" in "));
}

TEST_CASE("a module's variable is known where none of its directives occurs") {
  Server s("log_format x '$uri ratio=$gzip_ratio uid=$uid_got'; access_log %%DIR%%/access.log x;" +
           server("set $msie mine; return 200 '<$invalid_referer$ancient_browser$secure_link$msie>';"));
  CHECK(get(s.url("/a"), {"User-Agent: x"}).body == "<1mine>");
  CHECK(s.wait_for_log("^/a ratio=- uid=-$", "access.log"));
  CHECK_THAT(refusal("return 200 $gzip_rat;"), ContainsSubstring("unknown \"gzip_rat\" variable"));
}
