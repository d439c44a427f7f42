// Every site of conf/examples, with the requests that matter.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/paths.h"
#include "e2e/php_fpm.h"
#include "e2e/tls_ask.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

using Changes = std::vector<std::pair<std::string, std::string>>;

const std::string kConf = tests_path() + "/../conf/";

// The example with its port, folders and addresses changed to the test's.
std::string example(const std::string& name, const Changes& changes = {}) {
  std::string text = read_file(kConf + "examples/" + name);
  REQUIRE(!text.empty());
  Changes all{{"listen 80;", "listen 127.0.0.1:%%PORT_0%%;"}, {"include fastcgi_params", "include " + kConf + "fastcgi_params"},
              {"include uwsgi_params", "include " + kConf + "uwsgi_params"}, {"include mime.types", "include " + kConf + "mime.types"},
              {"/var/www/", "%%DIR%%/"}};
  all.insert(all.end(), changes.begin(), changes.end());
  for (const auto& [from, to] : all)
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return "include " + kConf + "mime.types; " + text;
}

std::string ok(const std::string& body, const std::string& fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("example: a single-page application") {
  Server s(example("static-spa.conf"), {{"spa/index.html", "page"}, {"spa/assets/a.1f3.js", std::string(2000, 'j')}, {"spa/robots.txt", "robots"}});
  const Response page = get(s.url("/"));
  CHECK(page.body == "page");
  CHECK(page.header("Cache-Control") == "no-cache");
  const Response inner = get(s.url("/users/7/edit"));
  CHECK(inner.status == 200);
  CHECK(inner.body == "page");
  const Response asset = get(s.url("/assets/a.1f3.js"), {"Accept-Encoding: gzip"});
  CHECK_THAT(asset.header("Cache-Control"), ContainsSubstring("max-age=31536000"));
  CHECK(asset.header("Content-Encoding") == "gzip");
  CHECK(get(s.url("/assets/gone.js")).status == 404);
  CHECK(get(s.url("/robots.txt")).body == "robots");
}

TEST_CASE("examples load where what they ask is not installed") {
  for (const char* name : {"wordpress.conf", "php.conf", "nextcloud.conf", "python.conf", "node.conf", "gitea.conf"}) {
    INFO(name);
    const Run run = check_config(example(name));
    INFO(run.err);
    CHECK(run.exit_code == 0);
    CHECK(run.err.find("[warn]") == std::string::npos);
  }
}

TEST_CASE("example: WordPress with PHP-FPM") {
  const auto php = PhpFpm::start();
  if (!php) return;
  Server s(example("wordpress.conf", {{"unix:/run/php/php-fpm.sock", php->address()}}),
           {{"wordpress/index.php", "<?php echo 'front ', $_SERVER['REQUEST_URI'], ' ', $_GET['p'] ?? '';"},
            {"wordpress/wp-login.php", "<?php header('Set-Cookie: wp=1'); echo 'login ', $_SERVER['REQUEST_METHOD'];"},
            {"wordpress/wp-content/uploads/evil.php", "<?php echo 'ran';"},
            {"wordpress/wp-content/style.css", "css"},
            {"wordpress/.git/config", "secret"}});
  CHECK(get(s.url("/")).body == "front / ");
  CHECK(get(s.url("/2026/11/hello/?p=7")).body == "front /2026/11/hello/?p=7 7");
  const Response login = get(s.url("/wp-login.php"));
  CHECK(login.body == "login GET");
  CHECK(login.header("Set-Cookie") == "wp=1");
  CHECK(get(s.url("/wp-content/uploads/evil.php")).status == 403);
  CHECK(get(s.url("/.git/config")).status == 403);
  CHECK(get(s.url("/none.php")).status == 404);
  CHECK(get(s.url("/wp-content/style.css")).count("Expires") == 1);
}

TEST_CASE("example: a PHP site in one line") {
  const auto php = PhpFpm::start();
  if (!php) return;
  Server s(example("php.conf", {{"unix:/run/php/php-fpm.sock", php->address()}}),
           {{"php/index.php", "<?php echo 'front ', $_SERVER['REQUEST_URI'];"}, {"php/a.txt", "file"}, {"php/.env", "secret"}});
  CHECK(get(s.url("/any/page")).body == "front /any/page");
  CHECK(get(s.url("/a.txt")).body == "file");
  CHECK(get(s.url("/.env")).status == 403);
}

TEST_CASE("example: a Node application with WebSockets") {
  Upstream node([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    if (head.find("Upgrade: websocket\r\n") == head.npos) return c.send(ok(head));
    c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    c.send("heard " + c.read(5));
  });
  Server s(example("node.conf", {{"127.0.0.1:3000", "127.0.0.1:" + std::to_string(node.port())}}), {{"node/static/a.js", "js"}});
  CHECK(get(s.url("/static/a.js")).body == "js");
  const std::string asked = get(s.url("/api?x=1"), {"Host: node.example.org", "X-Forwarded-For: 192.0.2.1"}).body;
  CHECK_THAT(asked, ContainsSubstring("GET /api?x=1 HTTP/1.1\r\n") && ContainsSubstring("Host: node.example.org\r\n"));
  CHECK_THAT(asked, ContainsSubstring("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n") && ContainsSubstring("X-Forwarded-Proto: http\r\n"));
  RawClient c(s.port());
  c.send("GET /socket/ HTTP/1.1\r\nHost: node.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  CHECK(c.read_response().status == 101);
  c.send("hello");
  CHECK(c.read(11) == "heard hello");
}

TEST_CASE("example: an application below a path of another site") {
  Upstream gitea([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    if (head.find("GET /login ") == 0)
      c.send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:" + head.substr(head.find("X-Port: ") + 8, head.find("\r\n", head.find("X-Port: ")) - head.find("X-Port: ") - 8) +
             "/home\r\nSet-Cookie: s=1; Path=/; HttpOnly\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    else c.send(ok(head));
  });
  const std::string port = std::to_string(gitea.port());
  Server s(example("gitea.conf", {{"127.0.0.1:3000", "127.0.0.1:" + port}}), {{"www/index.html", "site"}});
  CHECK(get(s.url("/")).body == "site");
  CHECK_THAT(get(s.url("/git/a/b?c")).body, ContainsSubstring("GET /a/b?c HTTP/1.1\r\n"));
  CHECK(get(s.url("/git")).status == 301);
  const Response login = get(s.url("/git/login"), {"X-Port: " + port});
  CHECK(login.status == 302);
  CHECK_THAT(login.header("Location"), ContainsSubstring("/git/home"));
  CHECK_THAT(login.header("Set-Cookie"), ContainsSubstring("Path=/git/"));
}

TEST_CASE("example: Nextcloud with PHP-FPM") {
  const auto php = PhpFpm::start();
  if (!php) return;
  Server s(example("nextcloud.conf", {{"unix:/run/php/php-fpm.sock", php->address()}}),
           {{"nextcloud/index.php", "<?php echo 'index ', $_SERVER['PATH_INFO'] ?? '';"},
            {"nextcloud/remote.php", "<?php echo 'remote ', $_SERVER['PATH_INFO'], ' ', $_SERVER['REQUEST_METHOD'];"},
            {"nextcloud/core/a.css", "css"}, {"nextcloud/data/secret", "secret"}, {"nextcloud/lib/evil.php", "<?php echo 'ran';"}});
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("index "));
  CHECK(get(s.url("/apps/files/")).body == "index /apps/files/");
  CHECK(get(s.url("/remote.php/dav/files")).body == "remote /dav/files GET");
  CHECK(get(s.url("/data/secret")).status == 404);
  CHECK_THAT(get(s.url("/lib/evil.php")).body, !ContainsSubstring("ran"));
  CHECK(get(s.url("/.well-known/carddav")).status == 301);
  CHECK(get(s.url("/core/a.css?v=1")).header("Cache-Control") == "public, max-age=15778463, immutable");
  CHECK(get(s.url("/core/a.css")).header("Cache-Control") == "public, max-age=15778463");
  const Response dav = get(s.url("/"), {"User-Agent: DavClnt/1"});
  CHECK(dav.status == 302);
}

TEST_CASE("example: a site as certbot leaves it") {
  Files files{{"secure/index.html", "secure"}};
  add(files, "a", make_certificate({"secure.example.org"}));
  Server s(example("certbot.conf", {{"/etc/letsencrypt/live/secure.example.org/fullchain.pem", "%%DIR%%/a.crt"},
                                    {"/etc/letsencrypt/live/secure.example.org/privkey.pem", "%%DIR%%/a.key"},
                                    {"listen 443 ssl", "listen 127.0.0.1:%%PORT_1%% ssl"}}), files);
  const Response redirect = get(s.url("/a?b"), {"Host: secure.example.org"});
  CHECK(redirect.status == 301);
  CHECK(redirect.header("Location") == "https://secure.example.org/a?b");
  CHECK(get(s.url("/a"), {"Host: other.example.org"}).status == 404);
  CHECK(ask(s, to("secure.example.org"), "secure.example.org", 1).body == "secure");
}

namespace {

// uWSGI with this program; null, with a warning, where there is none.
class Uwsgi {
 public:
  static std::unique_ptr<Uwsgi> start(const std::string& program) {
    if (std::system("command -v uwsgi >/dev/null 2>&1") == 0) return std::unique_ptr<Uwsgi>(new Uwsgi(program));
    WARN("no uwsgi: skipped");
    return nullptr;
  }
  ~Uwsgi() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string address() const { return "unix:" + folder_ + "/app.sock"; }

 private:
  explicit Uwsgi(const std::string& program) : folder_(make_folder()) {
    write_file(folder_ + "/app.py", program);
    const std::string socket = folder_ + "/app.sock", file = folder_ + "/app.py", log = folder_ + "/out.log";
    pid_ = ::fork();
    if (pid_ == 0) {
      const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      ::dup2(out, 1);
      ::dup2(out, 2);
      ::execlp("uwsgi", "uwsgi", "--plugin", "python3", "--socket", socket.c_str(), "--wsgi-file", file.c_str(), "--master", "--workers", "1",
               "--need-app", "--die-on-term", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    REQUIRE(wait_for_change(folder_, [&] { return read_file(log).find("spawned uWSGI worker 1") != std::string::npos; }, Clock::now() + kPatience));
  }
  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("example: a Python application behind uWSGI") {
  const auto uwsgi = Uwsgi::start(
      "def application(env, start):\n"
      "    body = env['wsgi.input'].read()\n"
      "    start('200 OK', [('Content-Type', 'text/plain')])\n"
      "    return [(env['REQUEST_METHOD'] + ' ' + env['PATH_INFO'] + '?' + env['QUERY_STRING'] + ' ' + str(len(body)) + ' ' + env['HTTP_HOST']).encode()]\n");
  if (!uwsgi) return;
  Server s(example("python.conf", {{"unix:/run/uwsgi/app.sock", uwsgi->address()}}), {{"python/static/a.css", "css"}});
  CHECK(get(s.url("/static/a.css")).body == "css");
  CHECK(get(s.url("/page?x=1"), {"Host: python.example.org"}).body == "GET /page?x=1 0 python.example.org");
  RawClient c(s.port());
  c.send("POST /form HTTP/1.1\r\nHost: p\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'b'));
  CHECK(c.read_response().body == "POST /form? 100000 p");
}
