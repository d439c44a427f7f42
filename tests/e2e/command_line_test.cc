// The command line: nginx's letters, its lines on its streams, its exit codes.
#include "catch.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

// A folder with a nginx.conf whose logs and pid file are in it; what is run there sees no server.
class Place {
 public:
  explicit Place(const std::string& http = "server { listen 127.0.0.1:8999; }", const std::string& main = "") : folder_(make_folder()) {
    file("nginx.conf", "pid " + folder_ + "/nginx.pid; error_log " + folder_ + "/error.log;" + main + "\nevents {}\nhttp {\n" + http + "\n}\n");
  }
  void file(const std::string& path, const std::string& text) const { write_file(folder_ + "/" + path, text); }
  std::string conf() const { return folder_ + "/nginx.conf"; }
  const std::string& folder() const { return folder_; }
  // With -p and -c, after the given words.
  Run run(std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", folder_ + "/", "-c", "nginx.conf", "-e", "stderr"});
    return run_server(words, folder_);
  }
  Run run_bare(const std::vector<std::string>& words) const { return run_server(words, folder_); }

 private:
  std::string folder_;
};

// A child that ends at the first signal: a supervisor's stand-in for -s.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ != 0) return;
    for (int signal : {SIGTERM, SIGQUIT, SIGUSR1, SIGHUP}) ::signal(signal, SIG_DFL);  // Catch catches some of them
    for (;;) ::pause();
  }
  ~Child() {
    if (pid_ > 0) end(SIGKILL);
  }
  pid_t pid() const { return pid_; }
  int ended_by() { return end(0); }

 private:
  int end(int signal) {
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  pid_t pid_;
};

}  // namespace

TEST_CASE("option -v prints our version and the level of nginx's language on standard error") {
  const Run run = Place().run_bare({"-v"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.empty());
  CHECK_THAT(run.err, StartsWith("seawall version: seawall/"));
  CHECK_THAT(run.err, ContainsSubstring("\nnginx version: nginx/1."));
  CHECK_THAT(run.err, !ContainsSubstring("configure arguments"));
}

TEST_CASE("option -V says how it was built, in the lines nginx's tools read") {
  const Run run = Place().run_bare({"-V"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.empty());
  CHECK_THAT(run.err, StartsWith("seawall version: seawall/"));
  CHECK_THAT(run.err, ContainsSubstring("built with OpenSSL 3"));
  CHECK_THAT(run.err, ContainsSubstring("\nTLS SNI support enabled\nAES in hardware: "));
  CHECK_THAT(run.err, ContainsSubstring("\nconfigure arguments: --prefix=/"));
  CHECK_THAT(run.err, ContainsSubstring(" --with-http_ssl_module"));
  for (const char* built : {"uwsgi", "scgi", "fastcgi", "proxy"}) CHECK_THAT(run.err,
       !ContainsSubstring(std::string("--without-http_") + built + "_module"));
}

#if defined(__x86_64__)
TEST_CASE("AES in hardware is what OpenSSL has found: where it may not use it, -V and the start say so (B9)") {
  ::setenv("OPENSSL_ia32cap", "~0x200000200000000", 1);
  const Run run = Place().run_bare({"-V"});
  const Certificate made = make_certificate({"localhost"});
  {
    Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; return 200 ok; }",
             {{"a.crt", made.certificate}, {"a.key", made.key}});
    CHECK(s.wait_for_log("this machine has no AES in hardware"));
    CHECK(get(s.tls_url()).body == "ok");
  }
  ::unsetenv("OPENSSL_ia32cap");
  CHECK_THAT(run.err, ContainsSubstring("\nAES in hardware: no\n"));
}
#endif

TEST_CASE("option -h and -? print the usage") {
  for (const char* letter : {"-h", "-?"}) {
    const Run run = Place().run_bare({letter});
    CHECK(run.exit_code == 0);
    CHECK(run.out.empty());
    CHECK_THAT(run.err, ContainsSubstring("Usage: seawall [-?hvVtTq] [-s signal]"));
    CHECK_THAT(run.err, ContainsSubstring("-g directives : "));
    for (const char* command : {"directives", "refused", "routes", "explain", "index-modules", "tls-check"})
      CHECK_THAT(run.err, ContainsSubstring(std::string("\n  ") + command + " "));
  }
}

TEST_CASE("what is no option is refused as nginx does") {
  const Place place;
  const auto refusal = [&](const std::vector<std::string>& words) {
    const Run run = place.run_bare(words);
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    return run.err;
  };
  CHECK(refusal({"-x"}) == "nginx: invalid option: \"x\"\n");
  CHECK(refusal({"-tx"}) == "nginx: invalid option: \"x\"\n");
  CHECK(refusal({"--help"}) == "nginx: invalid option: \"-\"\n");
  CHECK(refusal({"start"}) == "nginx: invalid option: \"start\"\n");
  CHECK(refusal({""}) == "nginx: invalid option: \"\"\n");
  CHECK(refusal({"-p"}) == "nginx: option \"-p\" requires directory name\n");
  CHECK(refusal({"-t", "-c"}) == "nginx: option \"-c\" requires file name\n");
  CHECK(refusal({"-e"}) == "nginx: option \"-e\" requires file name\n");
  CHECK(refusal({"-g"}) == "nginx: option \"-g\" requires parameter\n");
  CHECK(refusal({"-s"}) == "nginx: option \"-s\" requires parameter\n");
  CHECK(refusal({"-s", "restart"}) == "nginx: invalid option: \"-s restart\"\n");
}

TEST_CASE("option -t says that a configuration is good, on standard error") {
  const Place place;
  const Run run = place.run({"-t"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.empty());
  CHECK(run.err == "nginx: the configuration file " + place.conf() + " syntax is ok\nnginx: configuration file " + place.conf() +
                       " test is successful\n");
  CHECK(::access((place.folder() + "/nginx.pid").c_str(), F_OK) != 0);
}

TEST_CASE("option -t says what is wrong, where, and exits with 1") {
  const Place place("server {\n listen 127.0.0.1:8999;\n sever_name a;\n}");
  const Run run = place.run({"-t"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK(run.err == "nginx: [emerg] unknown directive \"sever_name\", did you mean \"server_name\"? in " + place.conf() +
                       ":6\nnginx: configuration file " + place.conf() + " test failed\n");
}

TEST_CASE("option -t -q is silent about a good configuration, and only about a good one") {
  const Place place;
  const Run good = place.run({"-t", "-q"});
  CHECK(good.exit_code == 0);
  CHECK(good.out + good.err == "");
  place.file("nginx.conf", "events {");
  const Run bad = place.run({"-tq"});
  CHECK(bad.exit_code == 1);
  CHECK_THAT(bad.err, StartsWith("nginx: [emerg] unexpected end of file, expecting \"}\" in " + place.conf() + ":1\n"));
}

TEST_CASE("option -t names a configuration file that is not there, or is a directory") {
  const Place place;
  const Run absent = place.run_bare({"-t", "-p", place.folder(), "-c", "none.conf"});
  CHECK(absent.exit_code == 1);
  const std::string path = place.folder() + "/none.conf";
  CHECK(absent.err == "nginx: [emerg] open() \"" + path + "\" failed (2: No such file or directory)\nnginx: configuration file " +
                          path + " test failed\n");
  const Run directory = place.run_bare({"-t", "-c", place.folder()});
  CHECK(directory.exit_code == 1);
  CHECK_THAT(directory.err, StartsWith("nginx: [emerg] read() \"" + place.folder() + "\" failed (21: Is a directory)\n"));
}

TEST_CASE("option -T prints every file once and verbatim on standard output") {
  const Place place("include part.conf;\ninclude part.conf;\n");
  const std::string part = "# a comment  \nserver { listen 127.0.0.1:8999; }";
  place.file("part.conf", part);
  const Run run = place.run({"-T"});
  CHECK(run.exit_code == 0);
  CHECK(run.out == "# configuration file " + place.conf() + ":\n" + read_file(place.conf()) + "\n# configuration file " +
                       place.folder() + "/part.conf:\n" + part + "\n");
  CHECK_THAT(run.err, ContainsSubstring("test is successful"));
}

TEST_CASE("option -T of a bad configuration prints no file") {
  const Place place("oops;");
  const Run run = place.run({"-T"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK_THAT(run.err, ContainsSubstring("nginx: configuration file " + place.conf() + " test failed\n"));
}

TEST_CASE("letters share a dash, arguments touch their letter, the last of several counts") {
  const Place place;
  CHECK(place.run_bare({"-tqp", place.folder(), "-cnginx.conf", "-estderr"}).exit_code == 0);
  const Run run = place.run_bare({"-c", "none.conf", "-p", "/nowhere", "-tc", "nginx.conf", "-p" + place.folder()});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring(place.conf() + " test is successful"));
}

TEST_CASE("relative names: -p from the current directory, -c from the prefix") {
  const Place place;
  place.file("conf/other.conf", "events {}");
  const Run run = place.run_bare({"-t", "-p", "conf", "-c", "other.conf", "-g", "pid /tmp/none.pid; error_log stderr"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring(place.folder() + "/conf/other.conf test is successful"));
}

TEST_CASE("option -g adds directives of the main context before the file's") {
  const Place place;
  CHECK(place.run({"-t", "-g", "worker_processes 2; worker_rlimit_nofile 100;"}).exit_code == 0);
  const Run bad = place.run({"-t", "-g", "worker_procesess 2;"});
  CHECK(bad.exit_code == 1);
  CHECK_THAT(bad.err, StartsWith("nginx: [emerg] unknown directive \"worker_procesess\", did you mean \"worker_processes\"? in command line\n"));
  const Run twice = place.run({"-t", "-g", "pid other.pid;"});
  CHECK(twice.exit_code == 1);
  CHECK_THAT(twice.err, ContainsSubstring("\"pid\" directive is duplicate in " + place.conf() + ":1"));
}

TEST_CASE("option -t notices an address or a pid file that a start could not have") {
  const Run address = Place("server { listen 192.0.2.1:80; }").run({"-t"});
  CHECK(address.exit_code == 1);
  CHECK_THAT(address.err, ContainsSubstring("[emerg] bind() to 192.0.2.1:80 failed (99: Cannot assign requested address)\n"));
  const Place place;
  place.file("bare.conf", "pid none/nginx.pid; error_log stderr; events {}");
  const Run pid = place.run_bare({"-t", "-p", place.folder(), "-c", "bare.conf"});
  CHECK(pid.exit_code == 1);
  CHECK_THAT(pid.err,
             ContainsSubstring("[emerg] open() \"" + place.folder() + "/none/nginx.pid\" failed (2: No such file or directory)\n"));
}

TEST_CASE("option -t beside the running server is successful and disturbs nothing") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; return 204; } server { listen unix:%%DIR%%/s.sock; return 204; }");
  const Run run = run_server({"-t", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "error.log", "-g",
                              "pid " + s.folder() + "/nginx.pid; error_log stderr;"}, s.folder());
  CHECK(run.exit_code == 0);
  CHECK(s.read("nginx.pid") == std::to_string(s.pid()) + "\n");
  CHECK(get(s.url()).status == 204);
  CHECK(RawClient(s.port()).fd() >= 0);
}

TEST_CASE("option -s sends nginx's signals to the pid in the pid file") {
  const Place place;
  for (const auto& [word, number] : {std::pair{"stop", SIGTERM}, {"quit", SIGQUIT}, {"reopen", SIGUSR1}, {"reload", SIGHUP}}) {
    Child child;
    place.file("nginx.pid", std::to_string(child.pid()) + "\n");
    const Run run = place.run({"-s", word});
    CHECK(run.exit_code == 0);
    CHECK(run.out + run.err == "");
    CHECK(child.ended_by() == number);
  }
}

TEST_CASE("option -s quit ends a running server") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; }");
  const Run run = run_server({"-s", "quit", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr", "-g",
                              "pid " + s.folder() + "/nginx.pid; error_log stderr;"}, s.folder());
  CHECK(run.exit_code == 0);
  CHECK(s.wait_for_log("gracefully shutting down"));
}

TEST_CASE("option -s without a pid file, with a strange one, or with a dead process says so") {
  const Place place;
  const std::string pid = place.folder() + "/nginx.pid";
  const Run absent = place.run({"-s", "reload"});
  CHECK(absent.exit_code == 1);
  CHECK(absent.err == "nginx: [error] open() \"" + pid + "\" failed (2: No such file or directory)\n");
  for (const std::string text : {"", "abc", "0", "-1", "12 34", "99999999999"}) {
    place.file("nginx.pid", text + "\n");
    const Run strange = place.run({"-s", "reload"});
    CHECK(strange.exit_code == 1);
    CHECK(strange.err == "nginx: [error] invalid PID number \"" + text + "\" in \"" + pid + "\"\n");
  }
  Child gone;
  const std::string number = std::to_string(gone.pid());
  ::kill(gone.pid(), SIGKILL);
  REQUIRE(gone.ended_by() == SIGKILL);
  place.file("nginx.pid", number);
  const Run dead = place.run({"-s", "quit"});
  CHECK(dead.exit_code == 1);
  CHECK(dead.err == "nginx: [alert] kill(" + number + ", 3) failed (3: No such process)\n");
}

TEST_CASE("option -s with a bad configuration signals nobody") {
  const Place place("oops;");
  Child child;
  place.file("nginx.pid", std::to_string(child.pid()));
  const Run run = place.run({"-s", "stop"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring("[emerg] unknown directive \"oops\""));
  CHECK(::kill(child.pid(), 0) == 0);
}

TEST_CASE("a start with a bad configuration exits with 1 and says why on standard error and in the log") {
  const Place place("oops;");
  const Run run = place.run_bare({"-p", place.folder() + "/", "-c", "nginx.conf", "-e", "first.log"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, StartsWith("nginx: [emerg] unknown directive \"oops\" in " + place.conf() + ":"));
  CHECK_THAT(read_file(place.folder() + "/first.log"), ContainsSubstring("[emerg]") && ContainsSubstring("unknown directive \"oops\" in "));
}

TEST_CASE("commands of our own: the modules, a module's directives, the names that are refused") {
  const Place place;
  const Run modules = place.run_bare({"directives"});
  CHECK(modules.exit_code == 0);
  CHECK_THAT(modules.out, ContainsSubstring("\ncore: ") && ContainsSubstring("\nrewrite: "));
  const Run table = place.run_bare({"directives", "ssl"});
  CHECK(table.exit_code == 0);
  CHECK_THAT(table.out, ContainsSubstring("| `ssl_certificate` | file"));
  const Run none = place.run_bare({"directives", "nobody"});
  CHECK(none.exit_code == 1);
  CHECK(none.err == "seawall: no module is named \"nobody\"\n");
  const Run refused = place.run_bare({"refused"});
  CHECK(refused.exit_code == 0);
  CHECK_THAT(refused.out, ContainsSubstring("\nmail\n") && !ContainsSubstring("\nreturn\n") && !ContainsSubstring("\nlisten\n"));
}

TEST_CASE("routes prints what a configuration serves, and how long each phase may take there (B36)") {
  const Place place("access_log off; client_body_timeout 90s;\nserver {\n listen 127.0.0.1:8999 default_server;\n server_name a *.b;\n"
                    " location ~* [.]a$ { }\n location = /x {\n  send_timeout 5s;\n  return 204;\n }\n}\nserver {\n listen 127.0.0.1:8999;\n}");
  const Run routes = place.run_bare({"routes", "-c", place.conf()});
  CHECK(routes.err == "");
  CHECK(routes.exit_code == 0);
  CHECK_THAT(routes.out, ContainsSubstring("server \"a\" \"*.b\" in " + place.conf() + ":5\n  listen 127.0.0.1:8999 default\n"));
  CHECK_THAT(routes.out,
             ContainsSubstring("location = /x in " + place.conf() + ":9: rewrite\n") && ContainsSubstring("location ~* [.]a$ in ") &&
             ContainsSubstring("server \"\" in "));
  CHECK_THAT(routes.out, !ContainsSubstring("send_timeout"));
  const Run timeouts = place.run_bare({"routes", "-c", place.conf(), "--timeouts"});
  CHECK_THAT(timeouts.out, ContainsSubstring("body       90s*, 512 B/s, off"));
  CHECK_THAT(timeouts.out, ContainsSubstring("send       1m, 256 B/s"));
  CHECK_THAT(timeouts.out, ContainsSubstring("send       5s*, 256 B/s") && ContainsSubstring("handshake  10s "));
  const Run wrong = place.run_bare({"routes", "-c", place.folder() + "/none.conf"});
  CHECK(wrong.exit_code == 1);
  CHECK_THAT(wrong.err, StartsWith("nginx: [emerg] open() \""));
}
