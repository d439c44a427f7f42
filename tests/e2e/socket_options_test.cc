// B30, B31: what the kernel is told about client sockets, so that a peer that has silently gone is found out.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;

namespace {

const std::string kDefault = "nodelay=1 keepalive=1 idle=30 interval=10 count=3 user_timeout=30000";

std::string listening(const std::string& options) {
  return with_probe("server { listen 127.0.0.1:%%PORT_0%% " + options + "; probe_socket on; }");
}

}  // namespace

TEST_CASE("client sockets are probed after 30 s of silence and given up 30 s later") {
  Server s(listening(""));
  CHECK(get(s.url()).body == kDefault);
}

TEST_CASE("so_keepalive keeps nginx's meaning") {
  CHECK(get(Server(listening("so_keepalive=10m:20:5")).url()).body ==
        "nodelay=1 keepalive=1 idle=600 interval=20 count=5 user_timeout=0");
  CHECK_THAT(get(Server(listening("so_keepalive=off")).url()).body, Catch::Matchers::StartsWith("nodelay=1 keepalive=0 "));
}

TEST_CASE("a socket that is handed to the next configuration gets that one's options") {
  Server s(listening(""));
  REQUIRE(s.reload(listening("so_keepalive=40:7:2")));
  CHECK(get(s.url()).body == "nodelay=1 keepalive=1 idle=40 interval=7 count=2 user_timeout=0");
  REQUIRE(s.reload(listening("")));
  CHECK(get(s.url()).body == kDefault);
}

TEST_CASE("TLS and reuseport sockets get them, too, and a unix socket needs none") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%% reuseport; listen unix:%%DIR%%/s.sock; probe_socket on; }", "worker_processes 2;"));
  for (int i = 0; i < 8; ++i) CHECK(get(s.url()).body == kDefault);
  Request request;
  request.url = "http://a/";
  request.unix_socket = s.folder() + "/s.sock";
  CHECK(fetch(request).status == 200);
}
