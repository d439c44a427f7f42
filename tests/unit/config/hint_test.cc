#include "seawall/config/hint.h"

#include <vector>

#include "catch.h"

using seawall::nearest_name;

TEST_CASE("did you mean: a slip or two, more in longer names, nothing far away") {
  const std::vector<std::string_view> known{"listen", "server_name", "server", "if", "root", "proxy_set_header"};
  CHECK(nearest_name("lisen", known) == "listen");
  CHECK(nearest_name("lsiten", known) == "listen");
  CHECK(nearest_name("sever_name", known) == "server_name");
  CHECK(nearest_name("proxy_sett_haeder", known) == "proxy_set_header");
  CHECK(nearest_name("rot", known) == "root");
  CHECK(nearest_name("ix", known).empty());
  CHECK(nearest_name("listener_names", known).empty());
  CHECK(nearest_name("xyz", known).empty());
  CHECK(nearest_name("listen", {}).empty());
}
