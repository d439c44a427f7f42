// Resumption: tickets and their keys, sessions by id, over loops, servers and reloads.
#include <signal.h>

#include "catch.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class Resumption {
 public:
  explicit Resumption(const std::string& settings, const std::string& more = "", const std::string& main = "",
                      Files extra = {}) {
    add(extra, "a", made);
    text = main + "\nevents {}\nhttp { ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;\n"
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name localhost; " + settings +
           " location / { return 200 $ssl_session_reused; } } " + more + " }";
    files = extra;
  }
  Certificate made = make_certificate({"localhost"});
  std::string text;
  Files files;
};

std::shared_ptr<SSL_SESSION> session(const Server& s, const TlsOptions& options, int port = 0) {
  RawClient c(s.port(port));
  c.start_tls(options);
  REQUIRE(ask(c, "localhost").status == 200);
  return c.session();
}

std::string resumed(const Server& s, TlsOptions options, const std::shared_ptr<SSL_SESSION>& with, int port = 0) {
  options.session = with;
  return ask(s, options, "localhost", port).body;
}

std::string key_name(const std::shared_ptr<SSL_SESSION>& session) {
  const unsigned char* ticket = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
  return std::string(reinterpret_cast<const char*>(ticket), std::min<std::size_t>(size, 16));
}

const TlsOptions k12 = only(to("localhost"), TLS1_2_VERSION), k13 = only(to("localhost"), TLS1_3_VERSION);

}  // namespace

TEST_CASE("tickets resume on every loop and in the next generation") {
  const Resumption r("", "", "worker_processes 2;");
  Server s(r.text, r.files);
  for (const TlsOptions& options : {k12, k13}) {
    const auto kept = session(s, options);
    for (int i = 0; i < 8; ++i) CHECK(resumed(s, options, kept) == "r");
  }
  const auto before = session(s, k12);
  REQUIRE(s.reload());
  CHECK(resumed(s, k12, before) == "r");
  CHECK(key_name(session(s, k12)) == key_name(before));
}

TEST_CASE("tickets resume in the worker that follows one that died") {
  const Resumption r("");
  Server s(r.text, r.files);
  s.allow("exited on signal 9");
  const auto kept = session(s, k12);
  const std::string log = s.error_log();
  const auto at = log.find("start worker process ") + 21;
  ::kill(std::stoi(log.substr(at)), SIGKILL);
  REQUIRE(s.wait_for_log("exited on signal 9"));
  CHECK(resumed(s, k12, kept) == "r");
}

TEST_CASE("keys of tickets rotate, and a ticket outlives one rotation") {
  const Resumption r("ssl_session_timeout 2;");
  Server s(r.text, r.files);
  const auto deadline = Clock::now() + kPatience;
  int rotations = 0;
  bool outlived = false;
  // The last ticket of each key is a moment old when the next key seals. A machine that takes two seconds for a moment gets
  // another rotation.
  for (auto last = session(s, k12); !outlived && Clock::now() < deadline;) {
    const auto next = session(s, k12);
    if (key_name(next) != key_name(last)) {
      ++rotations;
      outlived = resumed(s, k12, last) == "r";
    }
    last = next;
  }
  CHECK(rotations > 0);
  CHECK(outlived);
}

TEST_CASE("a shared cache of two sizes is a mistake, and one of verified clients is not looked for where nobody is verified") {
  const Resumption two("ssl_session_cache shared:SSL:1m;", "server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_session_cache shared:SSL:2m; }");
  CHECK_THAT(check_config(two.text, two.files).err,
             ContainsSubstring("the size 2097152 of shared memory zone \"SSL\" conflicts with already declared size 1048576 in "));
  const Resumption none("ssl_client_certificate %%DIR%%/none;");
  CHECK_THAT(check_config(none.text, none.files).err, ContainsSubstring("test is successful"));
}

TEST_CASE("ssl_session_ticket_key: the first seals, all open") {
  const std::string one(48, '1'), two = std::string(80, '2');
  const Resumption r("ssl_session_ticket_key one; ssl_session_ticket_key two;", "", "", {{"one", one}, {"two", two}});
  Server s(r.text, r.files);
  const auto sealed = session(s, k12);
  CHECK(key_name(sealed) == std::string(16, '1'));
  const Resumption turned("ssl_session_ticket_key two; ssl_session_ticket_key one;");
  REQUIRE(s.reload(turned.text));
  CHECK(resumed(s, k12, sealed) == "r");
  CHECK(key_name(session(s, k12)) == std::string(16, '2'));
  CHECK_THAT(check_config(Resumption("ssl_session_ticket_key one;").text, {{"one", "short"}, {"a.crt", r.made.certificate}, {"a.key", r.made.key}}).err,
             ContainsSubstring("one\" must be 48 or 80 bytes"));
}

TEST_CASE("without tickets and cache nothing resumes") {
  for (const char* settings : {"ssl_session_tickets off;", "ssl_session_tickets off; ssl_session_cache off;"}) {
    const Resumption r(settings);
    Server s(r.text, r.files);
    CHECK(resumed(s, k12, session(s, k12)) == ".");
    CHECK(resumed(s, k13, session(s, k13)) == ".");
  }
}

TEST_CASE("a shared cache resumes by id: on every loop, at servers of the same name, over a reload") {
  const std::string cache = "ssl_session_tickets off; ssl_session_cache shared:SSL:1m; ";
  const Resumption r(cache, "server { listen 127.0.0.1:%%PORT_1%% ssl; " + cache + " location / { return 200 $ssl_session_reused; } }",
                     "worker_processes 2;");
  Server s(r.text, r.files);
  for (const TlsOptions& options : {k12, k13}) {
    const auto kept = session(s, options);
    for (int i = 0; i < 8; ++i) CHECK(resumed(s, options, kept) == "r");
    CHECK(resumed(s, options, kept, 1) == "r");
    REQUIRE(s.reload());
    CHECK(resumed(s, options, kept) == "r");
  }
}

TEST_CASE("a builtin cache is one server's own") {
  const std::string cache = "ssl_session_tickets off; ssl_session_cache builtin:100; ";
  const Resumption r(cache, "server { listen 127.0.0.1:%%PORT_1%% ssl; " + cache + " location / { return 200 $ssl_session_reused; } }");
  Server s(r.text, r.files);
  const auto kept = session(s, k12);
  CHECK(resumed(s, k12, kept) == "r");
  CHECK(resumed(s, k12, kept, 1) == ".");
}

TEST_CASE("the server that the client names has its own cache and keys, whoever is the default") {
  const Resumption r("ssl_session_tickets off;", R"(server { listen 127.0.0.1:%%PORT_0%% ssl; server_name named;
    ssl_session_cache shared:SSL:1m; ssl_session_tickets off; location / { return 200 $ssl_session_reused; } })");
  Server s(r.text, r.files);
  const TlsOptions named = only(to("named"), TLS1_2_VERSION);
  RawClient c(s.port());
  c.start_tls(named);
  REQUIRE(ask(c, "named").status == 200);
  TlsOptions again = named;
  again.session = c.session();
  CHECK(ask(s, again, "named").body == "r");
}

TEST_CASE("a session ends with ssl_session_timeout") {
  const Resumption r("ssl_session_timeout 1; ssl_session_tickets off; ssl_session_cache shared:SSL:1m;");
  Server s(r.text, r.files);
  const auto kept = session(s, k12);
  SSL_SESSION_set_timeout(kept.get(), 1000);  // the client would keep it
  const auto deadline = Clock::now() + kPatience;
  while (resumed(s, k12, kept) == "r" && Clock::now() < deadline) {}
  CHECK(resumed(s, k12, kept) == ".");
}

TEST_CASE("caches that cannot be") {
  const auto complaint = [](const std::string& value) {
    const Resumption r("ssl_session_cache " + value + ";");
    return check_config(r.text, r.files).err;
  };
  CHECK_THAT(complaint("shared:SSL:1k"), ContainsSubstring("session cache \"shared:SSL:1k\" is too small"));
  CHECK_THAT(complaint("shared::1m"), ContainsSubstring("invalid session cache \"shared::1m\""));
  CHECK_THAT(complaint("many"), ContainsSubstring("invalid session cache \"many\""));
}
