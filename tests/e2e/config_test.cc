// Configurations as machines have them: Debian's folders, modules of nginx's own, the README's example; and what is said of
// mistakes in them.
#include "catch.h"

#include <unistd.h>

#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/paths.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

// Debian's layout, with what stands in its files; paths of logs and addresses are the test's.
const char* const kDebian = R"(
  worker_processes auto;
  pid %%DIR%%/nginx.pid;
  include %%DIR%%/modules-enabled/*.conf;
  events { worker_connections 768; # multi_accept on;
  }
  http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    # server_names_hash_bucket_size 64;
    include %%DIR%%/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3, ref: POODLE
    ssl_prefer_server_ciphers on;
    access_log %%DIR%%/access.log;
    gzip on;
    # gzip_types text/plain;
    memcached_connect_timeout 5s;
    include %%DIR%%/conf.d/*.conf;
    include %%DIR%%/sites-enabled/*;
    server {
      listen 127.0.0.1:%%PORT_0%% default_server;
      root %%DIR%%/html;
      index index.html index.htm index.nginx-debian.html;
      server_name _;
      location / {
        # First attempt to serve request as file, then as directory, then fall back to displaying a 404.
        try_files $uri $uri/ =404;
      }
      #location ~ /\.ht { deny all; }
    }
  })";

const Files kFiles{
    {"modules-enabled/50-mod-stream.conf", "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"},
    {"mime.types", "types {\n    text/html html htm shtml;\n    text/css css;\n}\n"},
    {"html/index.nginx-debian.html", "welcome"},
    {"html/a.css", "a { }"}};

Run test_of(const Server& s) {
  return run_server({"-t", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr", "-g", "error_log stderr;"}, s.folder());
}

// What is said of a bad configuration, without the folder and the last line.
std::string complaint(std::string_view config, const Files& files = {}) {
  const Run run = check_config(config, files);
  CHECK(run.exit_code == 1);
  std::string text = run.err.substr(0, run.err.find('\n'));
  for (auto at = text.find("/tmp/"); at != std::string::npos; at = text.find("/tmp/"))
    text.erase(at, text.find('/', at + 5) - at + 1);
  return text;
}

// A file of the repository with some of its words exchanged; each must be there.
std::string repository_file(const std::string& name, const std::vector<std::pair<std::string, std::string>>& exchanged) {
  std::string text = read_file(tests_path() + "/../" + name);
  for (const auto& [what, by] : exchanged) {
    INFO(what);
    REQUIRE(text.find(what) != std::string::npos);
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

TEST_CASE("Debian's layout works unchanged, what is not built yet is warned about") {
  Server s(kDebian, kFiles);
  const Response file = get(s.url("/a.css"));
  CHECK(file.status == 200);
  CHECK(file.header("Content-Type") == "text/css");
  CHECK(get(s.url("/")).body == "welcome");
  CHECK(get(s.url("/none")).status == 404);
  CHECK(s.wait_for_log("\"GET /none HTTP/1.1\" 404", "access.log"));
  const Run test = test_of(s);
  CHECK(test.exit_code == 0);
  CHECK_THAT(test.err, ContainsSubstring("[warn] \"memcached_connect_timeout\" directive is not supported yet, ignored in "));
  CHECK_THAT(test.err, ContainsSubstring("[notice] \"types_hash_max_size\" directive has no meaning here, ignored in "));
  CHECK_THAT(test.err, EndsWith("test is successful\n"));
}

TEST_CASE("a site is a link in sites-enabled, its snippets are relative to nginx.conf") {
  const std::string sites = make_folder(), port = std::to_string(free_port());
  write_file(sites + "/available/blog", "server {\n\tlisten 127.0.0.1:" + port + ";\n\tserver_name blog.example;\n\n" +
                                            "\tlocation / {\n\t\tinclude snippets/reply.conf;\n\t}\n}\n");
  write_file(sites + "/enabled/.dotfile", "nothing;");
  REQUIRE(::symlink("../available/blog", (sites + "/enabled/blog").c_str()) == 0);
  Server s("server { listen 127.0.0.1:" + port + " default_server; return 404; } include " + sites + "/enabled/*;",
           {{"snippets/reply.conf", "return 200 \"from a snippet\\n\";"}});
  const std::string url = "http://127.0.0.1:" + port + "/";
  CHECK(get(url, {"Host: blog.example"}).body == "from a snippet\n");
  CHECK(get(url, {"Host: other.example"}).status == 404);
}

TEST_CASE("a module of nginx's own is never opened, only mentioned") {
  Server s(kDebian, kFiles);
  CHECK_THAT(test_of(s).err, ContainsSubstring("[warn] module \"/usr/lib/nginx/modules/ngx_stream_module.so\" of nginx is not loaded"));
  const Run run = check_config("load_module %%DIR%%/ngx_broken.so;\nevents {}", {{"ngx_broken.so", "not an object"}});
  CHECK(run.exit_code == 0);
}

TEST_CASE("a module beside the server's own is found without its folder") {
  const std::string name = "modules/static.so";
  CHECK(check_config("load_module " + name + "; load_module static.so;\nevents {}").exit_code == 0);
}

TEST_CASE("a module that is no module is refused with its line") {
  CHECK_THAT(complaint("events {}\nload_module %%DIR%%/mine.so;", {{"mine.so", "not an object"}}),
             StartsWith("nginx: [emerg] cannot load module \"mine.so\": ") && EndsWith(" in nginx.conf:2"));
  CHECK_THAT(complaint("events {}\nload_module none.so;"),
             StartsWith("nginx: [emerg] cannot load module \"none.so\": ") && ContainsSubstring("No such file") &&
                 EndsWith(" in nginx.conf:2"));
}

TEST_CASE("a mistake has one place, that of its own line") {
  CHECK(complaint("server {\n location /a {\n  location /b {}\n }\n}") ==
        "nginx: [emerg] location \"/b\" is outside location \"/a\" in nginx.conf:5");
  CHECK(complaint("server {\n location /a {}\n location /a {}\n}") ==
        "nginx: [emerg] duplicate location \"/a\" in nginx.conf:5");
  CHECK(complaint("types {\n text/css { css; }\n}") == "nginx: [emerg] unexpected block in \"types\" in nginx.conf:4");
  CHECK(complaint("server { listen 127.0.0.1:%%PORT_0%% ssl; }") ==
        "nginx: [emerg] no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in nginx.conf:3");
  CHECK(complaint("server {\n return 200 $nothing;\n}") == "nginx: [emerg] unknown \"nothing\" variable in nginx.conf:4");
  CHECK(complaint("server {\n max_headers x;\n}") == "nginx: [emerg] \"max_headers\" directive invalid number in nginx.conf:4");
  CHECK(complaint("server { include part; }", {{"part", "\n\nroot a b;"}}) ==
        "nginx: [emerg] invalid number of arguments in \"root\" directive in part:3");
}

TEST_CASE("a configuration has an events section") {
  const std::string folder = make_folder();
  write_file(folder + "/nginx.conf", "http {}");
  CHECK_THAT(run_server({"-t", "-p", folder, "-c", "nginx.conf", "-e", "stderr"}, folder).err,
             StartsWith("nginx: [emerg] no \"events\" section in configuration\n"));
}

TEST_CASE("numbers of the process: a nice value may be negative, the number of workers may not be a word") {
  CHECK(check_config("worker_priority -5;\nevents {}").exit_code == 0);
  CHECK_THAT(complaint("worker_priority -x;\nevents {}"), ContainsSubstring("\"worker_priority\" directive invalid number in "));
  CHECK_THAT(complaint("worker_processes many;\nevents {}"), ContainsSubstring("\"worker_processes\" directive invalid value in "));
}

TEST_CASE("what is not built yet is refused by name") {
  for (const std::string text : {"stream {}", "mail {}"})
    CHECK(complaint("events {}\n" + text) ==
          "nginx: [emerg] \"" + text.substr(0, text.find(' ')) + "\" directive is not supported yet in nginx.conf:2");
  CHECK(complaint("server { location / {\n memcached_pass a:1; } }") ==
        "nginx: [emerg] \"memcached_pass\" directive is not supported yet in nginx.conf:4");
}

TEST_CASE("the README's configuration is accepted") {
  const std::string readme = repository_file("README.md", {{"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"},
                                                           {"listen 443 ssl;", "listen 127.0.0.1:%%PORT_1%% ssl;"},
                                                           {"/etc/letsencrypt/live/example.org/", "%%DIR%%/"},
                                                           {"/var/www/example.org", "%%DIR%%/html"}});
  const auto from = readme.find("```nginx\n") + 9;
  const Certificate made = make_certificate({"example.org"});
  Server s(readme.substr(from, readme.find("```", from) - from),
           {{"fullchain.pem", made.certificate}, {"privkey.pem", made.key}, {"html/assets/a.css", "a { }"},
            {"mime.types", repository_file("conf/mime.types", {})}});
  CHECK(get(s.url("/x?y"), {"Host: example.org"}).header("Location") == "https://example.org/x?y");
  const Response asset = get(s.tls_url("/assets/a.css", 1));
  CHECK(asset.status == 200);
  CHECK(asset.header("Content-Type") == "text/css");
  CHECK_THAT(asset.header("Cache-Control"), ContainsSubstring("max-age=2592000"));
}

TEST_CASE("the configurations that are installed and started with serve their page") {
  const Certificate made = make_certificate({"localhost"});
  const std::string page = repository_file("conf/html/index.html", {});
  const Files files{{"localhost.crt", made.certificate}, {"localhost.key", made.key}, {"html/index.html", page},
                    {"mime.types", repository_file("conf/mime.types", {})}};
  Server quick(repository_file("conf/quickstart.conf", {{"127.0.0.1:8080", "127.0.0.1:%%PORT_0%%"},
                                                        {"127.0.0.1:8443", "127.0.0.1:%%PORT_1%%"},
                                                        {"error_log stderr notice;", ""}, {"pid seawall.pid;", ""},
                                                        {"../build/quickstart/", "%%DIR%%/"}, {"../../conf/html", "html"}}),
               files);
  CHECK(get(quick.url("/")).body == page);
  CHECK(get(quick.tls_url("/", 1)).body == page);
  Server installed(repository_file("conf/nginx.conf", {{"user www-data;", ""}, {"pid /run/seawall.pid;", ""},
                                                       {"error_log /var/log/seawall/error.log;", ""},
                                                       {"/var/log/seawall", "%%DIR%%"}, {"listen [::]:80 default_server;", ""},
                                                       {"listen 80", "listen 127.0.0.1:%%PORT_0%%"}}),
                   files);
  CHECK(get(installed.url("/")).body == page);
  CHECK(get(installed.url("/none")).header("Server") == "seawall");
}

TEST_CASE("what nginx takes twice on a level is taken twice") {
  const auto result = [](const std::string& inside) { return check_config("server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }"); };
  for (const char* twice : {"early_hints $http_a; early_hints $http_b;", "keepalive_disable msie6; keepalive_disable safari;",
                            "userid_flags secure; userid_flags httponly;", "location / { stub_status; stub_status; }",
                            "types { a/b c; } types { d/e f; }"}) {
    INFO(twice);
    const Run run = result(twice);
    INFO(run.err);
    CHECK(run.exit_code == 0);
  }
  CHECK_THAT(result("keepalive_disable msie6; keepalive_disable msie6;").err, ContainsSubstring("duplicate value \"msie6\" in "));
  Server s("server { listen 127.0.0.1:%%PORT_0%%; userid on; userid_flags secure; userid_flags httponly; location / { return 204; } }");
  CHECK_THAT(get(s.url()).header("Set-Cookie"), ContainsSubstring("; secure") && ContainsSubstring("; httponly"));
}

TEST_CASE("modules that are not planned are refused by name") {
  for (const char* directive : {"flv", "mp4", "mp4_limit_rate 1", "mp4_limit_rate_after 1", "mp4_start_key_frame on", "image_filter size",
                                "image_filter_jpeg_quality 80", "image_filter_sharpen 10", "image_filter_transparency on", "image_filter_interlace on",
                                "xslt_stylesheet /a.xslt", "xslt_types text/x", "xslt_param a b", "xslt_string_param a b", "xslt_last_modified on",
                                "xml_entities /a.dtd"}) {
    const std::string text(directive), name = text.substr(0, text.find(' '));
    INFO(name);
    const Run run = check_config("server { listen 127.0.0.1:%%PORT_0%%; location / { " + text + "; } }");
    CHECK(run.exit_code == 1);
    CHECK_THAT(run.err, ContainsSubstring("\"" + name + "\" directive is not supported yet in "));
  }
}

TEST_CASE("ssl on would be plain text where TLS is asked for: it is refused, off is taken") {
  CHECK(complaint("server {\n listen 127.0.0.1:%%PORT_0%%;\n ssl on;\n}") ==
        "nginx: [emerg] the \"ssl\" directive is not supported any more, use the \"listen ... ssl\" directive instead in nginx.conf:5");
  CHECK(check_config("server { listen 127.0.0.1:%%PORT_0%%; ssl off; }").exit_code == 0);
}

TEST_CASE("values without effect are named by -t, those that say what is so anyway are not") {
  const Run said = check_config("tcp_nodelay off;\ntcp_nopush on;");
  CHECK(said.exit_code == 0);
  CHECK_THAT(said.err, ContainsSubstring("[notice] \"tcp_nodelay off\" has no meaning here, ignored in "));
  CHECK_THAT(said.err, ContainsSubstring("[notice] \"tcp_nopush on\" has no meaning here, ignored in "));
  CHECK_THAT(check_config("tcp_nodelay on; tcp_nopush off;").err, !ContainsSubstring("[notice]"));
}

TEST_CASE("an installation's own configuration has nothing that -t complains of") {
  for (const char* name : {"conf/nginx.conf", "conf/quickstart.conf"})
    CHECK_THAT(repository_file(name, {}), !ContainsSubstring("tcp_nopush"));
}
