// Every name nginx knows is known: it works, or is ignored with a word, or is refused by name. Here none is built.
#include "seawall/config/known_names.h"

#include <algorithm>

#include "catch.h"
#include "unit/config/source.h"

using namespace seawall;
using test::Bound;

namespace {

KnownName::State state_of(std::string_view name) {
  const KnownName* known = find_known_name(name);
  INFO(name);
  REQUIRE(known);
  return known->state;
}

}  // namespace

TEST_CASE("the names are sorted and each is there once") {
  const auto names = known_names();
  const auto wrong = std::adjacent_find(names.begin(), names.end(),
                                        [](const KnownName& a, const KnownName& b) { return a.name >= b.name; });
  if (wrong != names.end()) FAIL(wrong->name << " before " << std::next(wrong)->name);
  for (const KnownName& known : names) CHECK(find_known_name(known.name) == &known);
  CHECK(find_known_name("") == nullptr);
  CHECK(find_known_name("nothing") == nullptr);
  CHECK(find_known_name("zzz") == nullptr);
}

TEST_CASE("what decides who is let in, or where a request goes, is never ignored") {
  for (const char* name : {"allow",
                           "deny",
                           "auth_basic",
                           "auth_request",
                           "satisfy",
                           "internal",
                           "limit_except",
                           "ssl_verify_client",
                           "limit_req",
                           "limit_conn",
                           "return",
                           "rewrite",
                           "if",
                           "try_files",
                           "proxy_pass",
                           "fastcgi_pass",
                           "uwsgi_pass",
                           "scgi_pass",
                           "grpc_pass",
                           "memcached_pass",
                           "mirror",
                           "stub_status",
                           "secure_link",
                           "valid_referers",
                           "access_by_lua_block",
                           "stream",
                           "mail",
                           "upstream",
                           "set_real_ip_from",
                           "ssi",
                           "disable_symlinks",
                           "ssl_client_certificate",
                           "ssl_crl",
                           "client_max_body_size"})
    CHECK(state_of(name) == KnownName::unbuilt);
}

TEST_CASE("each name is refused, or ignored with a warning or a notice, and says so with its place") {
  for (const KnownName& known : known_names()) {
    if (known.name == "include" || known.name.ends_with("_by_lua_block")) continue;  // of the grammar
    test::Source source;
    const std::string name(known.name), quoted = "\"" + name + "\" directive ";
    Bound bound(source, "\n" + name + " x;");
    const std::vector<std::string> none;
    switch (known.state) {
      case KnownName::unbuilt:
        CHECK_THROWS_WITH(bound.bind(), quoted + "is not supported yet" + bound.place(2));
        break;
      case KnownName::deferred:
        bound.bind();
        CHECK(bound.warnings == std::vector{quoted + "is not supported yet, ignored" + bound.place(2)});
        break;
      case KnownName::meaningless:
        bound.bind();
        CHECK(bound.notices == std::vector{quoted + "has no meaning here, ignored" + bound.place(2)});
        CHECK(bound.warnings == none);
    }
  }
}
