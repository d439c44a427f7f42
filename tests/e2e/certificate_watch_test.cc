// Certificates that change on the disk hold without a reload; what makes no sense is refused.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kServer =
    "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/tls/a.crt; ssl_certificate_key %%DIR%%/tls/a.key; "
    "location / { return 200 \"$pid $ssl_session_reused\"; } }";

std::string subject(const RawClient& c) {
  char text[256];
  const std::unique_ptr<X509, decltype(&X509_free)> x(SSL_get1_peer_certificate(c.tls()), X509_free);
  return X509_NAME_oneline(X509_get_subject_name(x.get()), text, sizeof text);
}

std::string subject(const Server& s) {
  RawClient c(s.port());
  c.start_tls();
  return subject(c);
}

bool comes_to_be(const Server& s, const std::string& name) {
  const auto deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline)
    if (subject(s) == name) return true;
  return false;
}

void put(const Server& s, const Certificate& made) {
  s.file("tls/a.crt", made.certificate);
  s.file("tls/a.key", made.key);
}

Files first() {
  Files files;
  add(files, "tls/a", make_certificate({"first"}));
  return files;
}

}  // namespace

TEST_CASE("a pair that was written anew holds for new connections of the same worker, and the old ones go on") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + kServer + " }", first());
  RawClient before(s.port());
  before.start_tls();
  const std::string worker = ask(before, "localhost").body;
  put(s, make_certificate({"second"}));
  REQUIRE(s.wait_for_log("certificate files have changed and hold from now on: \".*/tls/a.crt\", \".*/tls/a.key\""));
  REQUIRE(comes_to_be(s, "/CN=second"));
  for (int i = 0; i < 8; ++i) CHECK(subject(s) == "/CN=second");
  CHECK(ask(s, to("localhost"), "localhost").body == worker);
  CHECK(ask(before, "localhost").body == worker);
  put(s, make_certificate({"third"}));
  CHECK(comes_to_be(s, "/CN=third"));
}

TEST_CASE("a bad pair is refused, the present one stays, and the next good one holds") {
  Server s(kServer + " server { listen 127.0.0.1:%%PORT_1%%; metrics; }", first());
  s.file("tls/a.crt", make_certificate({"without a key"}).certificate);
  REQUIRE(s.wait_for_log("certificate files have changed and are refused, the present ones stay: SSL_CTX_use_PrivateKey\\("));
  CHECK(subject(s) == "/CN=first");
  s.file("tls/a.key", "nonsense");
  REQUIRE(s.wait_for_log("refused, the present ones stay: cannot load certificate key"));
  CHECK(subject(s) == "/CN=first");
  CHECK_THAT(get(s.url("/", 1)).body, ContainsSubstring("seawall_certificate_renewals_total{result=\"refused\"} "));
  put(s, make_certificate({"second"}));
  CHECK(comes_to_be(s, "/CN=second"));
  CHECK_THAT(get(s.url("/", 1)).body, ContainsSubstring("seawall_certificate_renewals_total{result=\"used\"} "));
}

TEST_CASE("links that are exchanged, as certbot and Kubernetes do it") {
  namespace fs = std::filesystem;
  Files files;
  add(files, "one/a", make_certificate({"first"}));
  add(files, "two/a", make_certificate({"second"}));
  add(files, "three/a", make_certificate({"third"}));
  files.emplace_back("tls/note", "");
  Server s("server { listen 127.0.0.1:%%PORT_1%%; }", files);
  const std::string folder = s.folder();
  fs::create_symlink("one", folder + "/present");
  for (const char* name : {"a.crt", "a.key"}) fs::create_symlink(std::string("../present/") + name, folder + "/tls/" + name);
  REQUIRE(s.reload(kServer));
  REQUIRE(subject(s) == "/CN=first");
  fs::create_symlink("two", folder + "/next");
  fs::rename(folder + "/next", folder + "/present");
  CHECK(comes_to_be(s, "/CN=second"));
  for (const char* name : {"a.crt", "a.key"}) {
    fs::create_symlink(std::string("../three/") + name, folder + "/tls/next");
    fs::rename(folder + "/tls/next", folder + "/tls/" + name);
  }
  CHECK(comes_to_be(s, "/CN=third"));
}

TEST_CASE("keys that the worker may not read are renewed, too, and hold in the worker that follows") {
  if (::geteuid() != 0) {
    WARN("needs root: skipped");
    return;
  }
  Server s("user nobody nogroup;\nevents {}\nhttp { " + kServer + " }", first());
  s.allow("exited on signal 9");
  ::chmod((s.folder() + "/tls/a.key").c_str(), 0600);
  put(s, make_certificate({"second"}));
  REQUIRE(comes_to_be(s, "/CN=second"));
  const std::string worker = ask(s, to("localhost"), "localhost").body;
  ::kill(std::stoi(worker), SIGKILL);
  REQUIRE(s.wait_for_log("exited on signal 9"));
  CHECK(subject(s) == "/CN=second");
}

TEST_CASE("sessions of an exchanged certificate are not resumed") {
  Server s(kServer, first());
  RawClient before(s.port());
  before.start_tls();
  ask(before, "localhost");
  put(s, make_certificate({"second"}));
  REQUIRE(comes_to_be(s, "/CN=second"));
  TlsOptions again;
  again.session = before.session();
  CHECK_THAT(ask(s, again, "localhost").body, ContainsSubstring(" ."));
}
