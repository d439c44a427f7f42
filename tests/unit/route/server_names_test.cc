#include "seawall/route/server_names.h"

#include <chrono>
#include <deque>

#include "catch.h"
#include "seawall/config/tree.h"

namespace seawall {
class Vhost {
 public:
  std::string label;
  std::vector<ServerName> names;
};
}  // namespace seawall

using namespace seawall;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr auto kLoad = std::chrono::seconds(2);
#else
constexpr auto kLoad = std::chrono::milliseconds(200);
#endif

// The servers of one address; each list of names is one server, labelled by its first name.
class Table {
 public:
  explicit Table(const std::vector<std::vector<std::string>>& servers) {
    const auto warn = [this](const std::string& message) { warnings.push_back(message); };
    std::vector<ServerNames::Server> list;
    for (const auto& words : servers) {
      Vhost& vhost = vhosts.emplace_back();
      vhost.label = words.front();
      for (const auto& word : words) vhost.names.push_back(ServerName::parse(word, "Box.Example", warn));
      list.push_back({&vhost, vhost.names});
    }
    names = ServerNames("0.0.0.0:80", list, warn);
  }
  std::string find(std::string_view host, Captures* captures = nullptr) const {
    const auto match = names.find(host, captures);
    return match.vhost ? match.vhost->label : "default";
  }

  std::deque<Vhost> vhosts;
  std::vector<std::string> warnings;
  ServerNames names;
};

}  // namespace

TEST_CASE("every kind of server name finds its server") {
  const Table t({{"localhost"}, {""}, {"www.example.com"}, {"~^EXAMPLE\\.COM$"},
                 {"~^(?P<name>[a-z]+)\\Q.example.com\\E$"},
                 {"many.example.com", "many2.example.com"}, {"*.wc.example.com"}, {"*.pref.wc.example.com"},
                 {"wc2.example.*"}, {"wc2.example.com.*"}, {".dot.example.com"}, {"_"}});
  CHECK(t.find("xxx") == "default");
  CHECK(t.find("") == "");
  CHECK(t.find("www.example.com") == "www.example.com");
  CHECK(t.find("example.com") == "~^EXAMPLE\\.COM$");
  CHECK(t.find("many2.example.com") == "many.example.com");
  CHECK(t.find("www.wc.example.com") == "*.wc.example.com");
  CHECK(t.find("www.pref.wc.example.com") == "*.pref.wc.example.com");
  CHECK(t.find("a.b.c.pref.wc.example.com") == "*.pref.wc.example.com");
  CHECK(t.find("wc2.example.net") == "wc2.example.*");
  CHECK(t.find("wc2.example.com.pref") == "wc2.example.com.*");
  CHECK(t.find("www.dot.example.com") == ".dot.example.com");
  CHECK(t.find("dot.example.com") == ".dot.example.com");
  CHECK(t.warnings.empty());
}

TEST_CASE("names are matched in any case, and captures tell what a regex saw") {
  const Table t({{"WWW.Example.COM"}, {"~^(?P<name>[a-z]+)\\.(?<tld>\\w+)$"}});
  CHECK(t.find("www.example.com") == "WWW.Example.COM");
  Captures captures;
  const auto match = t.names.find("blah.org", &captures);
  REQUIRE(match.regex);
  CHECK(match.regex->names().size() == 2);
  CHECK(captures.get(1) == "blah");
  CHECK(captures.get(2) == "org");
}

TEST_CASE("precedence: exact, longest leading wildcard, longest trailing one, first regex") {
  const Table t({{"~^mail\\."}, {"~^mail\\.example"}, {"mail.*"}, {"mail.example.*"}, {"*.org"}, {"*.example.org"},
                 {"mail.example.org"}});
  CHECK(t.find("mail.example.org") == "mail.example.org");
  CHECK(t.find("x.mail.example.org") == "*.example.org");
  CHECK(t.find("mail.other.org") == "*.org");
  CHECK(t.find("mail.example.net") == "mail.example.*");
  CHECK(t.find("mail.other.net") == "mail.*");
  CHECK(t.find("mail.") == "mail.*");
  CHECK(Table({{"~^b"}, {"~^bb"}}).find("bb") == "~^b");
}

TEST_CASE("a wildcard stands for at least one label, and falls back to a shorter one") {
  const Table t({{"*.com"}, {"*.a.example.com"}, {"www.*"}, {"www.example.org.*"}});
  CHECK(t.find("com") == "default");
  CHECK(t.find("a.example.com") == "*.com");
  CHECK(t.find("b.a.example.com") == "*.a.example.com");
  CHECK(t.find(".com") == "*.com");
  CHECK(t.find("www") == "default");
  CHECK(t.find("www.example.org") == "www.*");
  CHECK(t.find("wwww.example.org") == "default");
  CHECK(t.find("xcom") == "default");
}

TEST_CASE("a regex is never asked about a request without a host") {
  const Table t({{"a"}, {"~.*"}});
  CHECK(t.find("") == "default");
  CHECK(t.find("b") == "~.*");
}

TEST_CASE("a regex that gives up fails the lookup") {
  const Table t({{"a"}, {"~^(\\w+\\w+)+$"}});
  CHECK(t.names.find(std::string(60, 'a') + "!", nullptr).failed);
}

TEST_CASE("conflicting names are ignored with nginx's warning") {
  const Table t({{"a.com", "x"}, {"b", "a.com"}, {".c.com"}, {"c.com"}, {"*.c.com"}, {"w.*"}, {"W.*"}});
  CHECK(t.warnings == std::vector<std::string>{
                          "conflicting server name \"a.com\" on 0.0.0.0:80, ignored",
                          "conflicting server name \"c.com\" on 0.0.0.0:80, ignored",
                          "conflicting server name \"*.c.com\" on 0.0.0.0:80, ignored",
                          "conflicting server name \"w.*\" on 0.0.0.0:80, ignored",
                      });
  CHECK(t.find("a.com") == "a.com");
  CHECK(t.find("x.c.com") == ".c.com");
  CHECK(t.find("w.x") == "w.*");
}

TEST_CASE("malformed names are refused, by the directive or when the address has several servers") {
  for (const char* word : {"*", "*x", "**", "*a.com", ".", "*."})
    CHECK_THROWS_WITH(Table({{word}}), "server name \"" + std::string(word) + "\" is invalid");
  CHECK_THROWS_WITH(Table({{"~"}}), "empty regex in server name \"~\"");
  for (const char* word : {"a*b", "a.*.b", "*.a.*", "a..b", "a*"})
    CHECK_THROWS_WITH(Table({{word}, {"b"}}),
                      "invalid server name or wildcard \"" + std::string(word) + "\" on 0.0.0.0:80");
  CHECK(Table({{"a*b"}}).find("a") == "default");
  CHECK(Table({{"a/b"}}).warnings.front() == "server name \"a/b\" has suspicious symbols");
}

TEST_CASE("$hostname is this machine's name, and the primary name loses its leading dot") {
  const Table t({{"$HostName"}, {".example.com"}, {"~^X"}});
  CHECK(t.find("box.example") == "$HostName");
  CHECK(t.vhosts[0].names[0].primary() == "box.example");
  CHECK(t.vhosts[1].names[0].primary() == "example.com");
  CHECK(t.vhosts[2].names[0].primary() == "~^X");
}

TEST_CASE("a single server is the default whatever it is called, unless its regex captures") {
  CHECK(Table({{"a"}}).find("a") == "default");
  CHECK(Table({{"~^a"}}).find("a") == "default");
  CHECK(Table({{"~^(a)"}}).find("a") == "~^(a)");
}

TEST_CASE("ten thousand names load at once and are found as fast as one") {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<std::string>> servers;
  for (int i = 0; i < 10000; ++i) {
    const std::string name = "host" + std::to_string(i);
    if (i % 3 == 0) servers.push_back({name + ".example.com"});
    if (i % 3 == 1) servers.push_back({"*." + name + ".example.com"});
    if (i % 3 == 2) servers.push_back({name + ".*"});
  }
  const auto start = Clock::now();
  const Table many(servers);
  CHECK(Clock::now() - start < kLoad);
  const Table few({{"host9.example.com"}, {"*.host10.example.com"}});
  const auto time = [](const Table& table) {
    auto best = Clock::duration::max();
    int found = 0;
    for (int round = 0; round < 5; ++round) {
      const auto begin = Clock::now();
      for (int i = 0; i < 2000; ++i) {
        found += table.names.find("host9.example.com", nullptr).vhost != nullptr;
        found += table.names.find("www.host10.example.com", nullptr).vhost != nullptr;
      }
      best = std::min(best, Clock::now() - begin);
    }
    CHECK(found == 20000);
    return best;
  };
  CHECK(time(many) < 5 * time(few));
  CHECK(many.find("host9999.example.com") == "host9999.example.com");
  CHECK(many.find("x.host9997.example.com") == "*.host9997.example.com");
  CHECK(many.find("host9998.org") == "host9998.*");
}
