// Configurations that are wrong in their several ways: a reload says why and leaves what serves as it is.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/folder.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class Wrong {
 public:
  std::string main, http, reason;  // in main, in http; what standard error must have
};

// One server whose block says this.
std::string says(const std::string& inside) { return "server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }"; }

std::string over_tls(const std::string& inside) {
  return "server { listen 127.0.0.1:%%PORT_1%% ssl; " + inside + " }";
}
std::string pair(const std::string& certificate, const std::string& key) {
  return "ssl_certificate %%DIR%%/" + certificate + "; ssl_certificate_key %%DIR%%/" + key + "; ";
}

const std::vector<Wrong> kWrong = {
    {"", says("no_such_directive on;"), "unknown directive \"no_such_directive\" in"},
    {"", says("rooot html;"), "did you mean \"root\"?"},
    {"", "server { listen 127.0.0.1:%%PORT_0%% root html; }", "invalid parameter \"root\""},
    {"", says("root html"), "unexpected \"}\" in"},
    {"", says("location / {"), "unexpected end of file, expecting \"}\" in"},
    {"}", "", "unexpected \"}\" in"},
    {"", says("location \"/a { }"), "unexpected end of file"},
    {"", "include %%DIR%%/nowhere.conf;", "open() \"%%DIR%%/nowhere.conf\" failed (2: No such file or directory)"},
    {"", "server { listen 127.0.0.1:99999; }", "invalid port in \"127.0.0.1:99999\""},
    {"", "server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_0%%; }", "a duplicate listen 127.0.0.1:"},
    {"", "server { listen 127.0.0.1:%%PORT_2%%; }", "still could not bind()"},
    {"", over_tls(""), "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive"},
    {"", over_tls(pair("none.crt", "a.key")), "cannot load certificate \"%%DIR%%/none.crt\""},
    {"", over_tls(pair("a.key", "a.key")), "cannot load certificate"},
    {"", over_tls(pair("a.crt", "b.key")), "key values mismatch"},
    {"", over_tls(pair("a.crt", "a.key") + "ssl_ciphers NONE_OF_THESE;"), "SSL_CTX_set_cipher_list(\"NONE_OF_THESE\") failed"},
    {"", over_tls(pair("a.crt", "a.key") + "ssl_protocols TLSv9;"), "invalid value \"TLSv9\""},
    {"", over_tls(pair("a.crt", "a.key") + "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"),
     "does not answer on 127.0.0.1:%%PORT_1%%: the TLS handshake fails, the present configuration stays"},
    {"", says("location /a { } location /a { }"), "duplicate location \"/a\""},
    {"", says("location ~ ( { }"), "pcre2_compile() failed"},
    {"", says("return 200 $nobody;"), "unknown \"nobody\" variable"},
    {"", says("return 99999;"), "invalid return code \"99999\""},
    {"", says("listen;"), "invalid number of arguments in \"listen\" directive"},
    {"", says("worker_processes 2;"), "\"worker_processes\" directive is not allowed here"},
    {"", says("root a; root b;"), "\"root\" directive is duplicate"},
    {"", says("client_max_body_size many;"), "\"client_max_body_size\" directive invalid value"},
    {"", says("sendfile perhaps;"), "invalid value \"perhaps\" in \"sendfile\" directive"},
    {"", says("access_log %%DIR%%/no/folder/access.log;"), "No such file or directory"},
    {"", says("access_log %%DIR%%/a.log no_format;"), "unknown log format \"no_format\""},
    {"", says("if ($uri = ) { }"), "invalid condition"},
    {"", "map $uri $a { default 1; default 2; }", "duplicate default map parameter"},
    {"worker_processes some;", "", "\"worker_processes\" directive invalid value"},
    {"worker_rlimit_nofile 8;", says(""), "Too many open files"},
    {"load_module %%DIR%%/a.crt;", "", "a.crt"},
    {"error_log %%DIR%%/no/folder/error.log;", "", "error.log\" failed (2: No such file or directory)"},
};

std::string expanded(const Server& s, std::string text) {
  const auto put = [&](const std::string& mark, const std::string& value) {
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark)) text.replace(at, mark.size(), value);
  };
  put("%%DIR%%", s.folder());
  for (int n = 0; n < 3; ++n) put("%%PORT_" + std::to_string(n) + "%%", std::to_string(s.port(n)));
  return text;
}

}  // namespace

TEST_CASE("reloads of wrong configurations say what is wrong and change nothing") {
  Files files;
  add(files, "a", make_certificate({"a.test"}));
  add(files, "b", make_certificate({"b.test"}));
  Server s("events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $pid; } } }\n# %%PORT_1%% %%PORT_2%%\n", files);
  const seawall::Fd taken = listen_on(s.port(2));
  const std::string worker = get(s.url()).body;
  s.allow("\\[emerg\\]");
  s.allow("exited on signal 9");  // a new worker that does not serve is ended
  const auto reload = [&](const std::string& main, const std::string& http) {
    s.file("nginx.conf", expanded(s, main + "\nevents {}\nhttp { " + http + "\n}\n"));
    return run_server({"-s", "reload", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr", "-g",
                       "pid " + s.folder() + "/nginx.pid;"}, s.folder());
  };
  for (const Wrong& wrong : kWrong) {
    const Run run = reload(wrong.main, wrong.http);
    INFO(wrong.main << " " << wrong.http);
    CHECK(run.exit_code == 1);
    CHECK_THAT(run.err, ContainsSubstring(expanded(s, wrong.reason)));
    REQUIRE(get(s.url()).body == worker);
  }
  CHECK(reload("", says("location / { return 200 right; }")).exit_code == 0);
  CHECK(wait_until([&] { return get(s.url()).body == "right"; }));
}
