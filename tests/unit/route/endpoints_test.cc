#include "seawall/route/endpoints.h"

#include "catch.h"
#include "seawall/config/tree.h"

using namespace seawall;

namespace {

using Words = std::vector<std::string>;

// Servers are told apart by address only; these stand for them.
int server_marks[4];
const Vhost* server(int number) { return reinterpret_cast<const Vhost*>(&server_marks[number]); }

class Config {
 public:
  Config& listen(int number, const Words& words) {
    const auto warn = [this](const std::string& message) { warnings.push_back(message); };
    endpoints.add(parse_listen(words, warn), server(number), warn);
    return *this;
  }
  // "0.0.0.0:80(127.0.0.1:80 0.0.0.0:80) ...": each socket with the endpoints behind it.
  std::string sockets() const {
    std::string all;
    for (const ListenSocket& socket : endpoints.sockets()) {
      all += (all.empty() ? "" : " ") + socket.address.text_with_port() + "(";
      for (const Endpoint* endpoint : socket.endpoints) {
        if (endpoint != socket.endpoints.front()) all += " ";
        all += endpoint->address.text_with_port();
      }
      all += ")";
    }
    return all;
  }
  Endpoints endpoints;
  Words warnings;
};

}  // namespace

TEST_CASE("servers on one address share its endpoint, the first is the default") {
  Config config;
  config.listen(0, {"80"}).listen(1, {"*:80"}).listen(2, {"0.0.0.0:80"}).listen(2, {"81"});
  REQUIRE(config.endpoints.all().size() == 2);
  const Endpoint& endpoint = config.endpoints.all()[0];
  CHECK(endpoint.servers == std::vector<const Vhost*>{server(0), server(1), server(2)});
  CHECK(endpoint.default_server == server(0));
  CHECK(config.endpoints.all()[1].default_server == server(2));
}

TEST_CASE("default_server makes the default, once") {
  Config config;
  config.listen(0, {"80"}).listen(1, {"80", "default_server"});
  CHECK(config.endpoints.all()[0].default_server == server(1));
  CHECK_THROWS_WITH(config.listen(2, {"80", "default_server"}), "a duplicate default server for 0.0.0.0:80");
}

TEST_CASE("socket options may be given by one server only, and stay") {
  Config config;
  config.listen(0, {"127.0.0.1:80", "default_server"}).listen(1, {"127.0.0.1:80", "backlog=7", "ssl"});
  config.listen(2, {"127.0.0.1:80", "ssl"});
  const ListenOptions& options = config.endpoints.all()[0].options;
  CHECK(options.backlog == 7);
  CHECK((options.ssl && options.default_server && options.bind));
  CHECK_THROWS_WITH(config.listen(3, {"127.0.0.1:80", "reuseport"}), "duplicate listen options for 127.0.0.1:80");
}

TEST_CASE("one server may not name an address twice") {
  Config config;
  config.listen(0, {"80"});
  CHECK_THROWS_WITH(config.listen(0, {"*:80"}), "a duplicate listen 0.0.0.0:80");
  CHECK_THROWS_WITH(Config().listen(0, {"unix:/a"}).listen(0, {"unix:/a"}), "a duplicate listen unix:/a");
  CHECK_NOTHROW(Config().listen(0, {"[::]:80"}).listen(0, {"80"}));
}

TEST_CASE("protocol options add up, and contradictions are warned of") {
  Config plain;
  plain.listen(0, {"80"}).listen(1, {"80", "ssl"});
  CHECK(plain.endpoints.all()[0].options.ssl);
  CHECK(plain.warnings.empty());
  plain.listen(2, {"80", "proxy_protocol"});
  CHECK(plain.warnings == Words{"protocol options redefined for 0.0.0.0:80"});

  Config said_by_one;
  said_by_one.listen(0, {"80", "ssl", "backlog=5"}).listen(1, {"80"}).listen(2, {"80"});
  CHECK(said_by_one.warnings.empty());
  said_by_one.listen(3, {"80", "proxy_protocol"});
  CHECK(said_by_one.warnings.size() == 1);

  Config lost;
  lost.listen(0, {"80", "ssl"}).listen(1, {"80", "backlog=5"});
  CHECK(lost.warnings.size() == 1);
  CHECK(lost.endpoints.all()[0].options.ssl);
}

TEST_CASE("beside a wildcard only what must be is bound") {
  CHECK(Config().listen(0, {"127.0.0.1:80"}).listen(1, {"80"}).listen(2, {"127.0.0.2:80"}).sockets() ==
        "0.0.0.0:80(127.0.0.1:80 127.0.0.2:80 0.0.0.0:80)");
  CHECK(Config().listen(0, {"80"}).listen(1, {"127.0.0.1:80", "bind"}).listen(2, {"127.0.0.2:80"}).sockets() ==
        "127.0.0.1:80(127.0.0.1:80) 0.0.0.0:80(127.0.0.2:80 0.0.0.0:80)");
  CHECK(Config().listen(0, {"127.0.0.1:80"}).listen(1, {"127.0.0.2:80"}).sockets() ==
        "127.0.0.1:80(127.0.0.1:80) 127.0.0.2:80(127.0.0.2:80)");
}

TEST_CASE("ports, families and unix paths never share a socket") {
  Config config;
  config.listen(0, {"80"}).listen(1, {"127.0.0.1:81"}).listen(2, {"[::1]:80"}).listen(3, {"[::]:80"});
  CHECK(config.sockets() == "0.0.0.0:80(0.0.0.0:80) 127.0.0.1:81(127.0.0.1:81) [::]:80([::1]:80 [::]:80)");
  CHECK(Config().listen(0, {"unix:/a"}).listen(1, {"unix:/b"}).sockets() == "unix:/a(unix:/a) unix:/b(unix:/b)");
}

TEST_CASE("the local address of a connection tells the endpoint") {
  Config config;
  config.listen(0, {"127.0.0.1:80"}).listen(1, {"80"}).listen(2, {"81"});
  const auto sockets = config.endpoints.sockets();
  REQUIRE(sockets.size() == 2);
  CHECK(sockets[0].needs_local_address());
  CHECK_FALSE(sockets[1].needs_local_address());
  CHECK(sockets[0].find(*Address::parse("127.0.0.1:80"))->default_server == server(0));
  CHECK(sockets[0].find(*Address::parse("10.0.0.1:80"))->default_server == server(1));
  CHECK(sockets[1].find(Address())->default_server == server(2));
}

TEST_CASE("ten thousand servers on one address") {
  std::vector<int> marks(10000);
  Endpoints endpoints;
  const Listen listen = parse_listen({"80"}, [](const std::string&) {});
  for (int& mark : marks) endpoints.add(listen, reinterpret_cast<const Vhost*>(&mark), [](const std::string&) {});
  CHECK(endpoints.all()[0].servers.size() == 10000);
}
