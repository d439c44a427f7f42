// Keys, JOSE, requests and chains.
#include "keys.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <ctime>

#include "catch.h"
#include "certificate.h"
#include "certificates.h"

using namespace seawall::acme;

TEST_CASE("base64url has no padding and goes both ways") {
  CHECK(base64url("") == "");
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("fo") == "Zm8");
  CHECK(base64url("foo") == "Zm9v");
  CHECK(base64url("\xfb\xff") == "-_8");
  CHECK(from_base64url("-_8") == "\xfb\xff");
  CHECK_THROWS_AS(from_base64url("a b"), AcmeError);
  CHECK(is_base64url("Az09-_", 6));
  CHECK(!is_base64url("Az09-_", 5));
  for (const char* other : {"", "a=", "a+", "a/", "a.b", "\xc3\xa4"}) CHECK(!is_base64url(other, 100));
}

TEST_CASE("keys that ACME has no algorithm for are refused") {
  const seawall::KeyPtr ed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), brainpool(EVP_EC_gen("brainpoolP256r1")), small(EVP_RSA_gen(1024));
  for (EVP_PKEY* key : {ed.get(), brainpool.get(), small.get()}) CHECK_THROWS_AS(key_from(pem_of(key)), AcmeError);
}

TEST_CASE("a chain may not be too long") {
  const auto key = make_key(KeyType());
  const std::string one = make_self_signed(key.get(), {"a.test"}).certificate;
  std::string chain;
  for (int i = 0; i < 10; ++i) chain += one;
  CHECK_NOTHROW(check_chain(chain, key.get(), {"a.test"}, std::time(nullptr)));
  CHECK_THROWS_WITH(check_chain(chain + one, key.get(), {"a.test"}, std::time(nullptr)), "the CA's chain is too long");
}

TEST_CASE("types of keys") {
  CHECK(KeyType::parse("ecdsa").text() == "ecdsa:256");
  CHECK(KeyType::parse("ecdsa:384").text() == "ecdsa:384");
  CHECK(KeyType::parse("rsa").text() == "rsa:2048");
  CHECK_THROWS_AS(KeyType::parse("rsa:1024"), AcmeError);
  CHECK_THROWS_AS(KeyType::parse("dsa"), AcmeError);
}

TEST_CASE("signatures have the size that JWS wants, and the names of their algorithms") {
  const auto p256 = make_key(KeyType::parse("ecdsa")), p521 = make_key(KeyType::parse("ecdsa:521")),
             rsa = make_key(KeyType::parse("rsa"));
  CHECK(sign(p256.get(), "x").size() == 64);
  CHECK(sign(p521.get(), "x").size() == 132);
  CHECK(sign(rsa.get(), "x").size() == 256);
  CHECK(algorithm_of(p256.get()) == "ES256");
  CHECK(algorithm_of(p521.get()) == "ES512");
  CHECK(algorithm_of(rsa.get()) == "RS256");
  CHECK(thumbprint_of(p256.get()).size() == 43);
  CHECK(thumbprint_of(key_from(pem_of(p256.get())).get()) == thumbprint_of(p256.get()));
}

TEST_CASE("a chain fits its key and its names, or it is said why not") {
  const auto key = make_key(KeyType()), other = make_key(KeyType());
  const Pair pair = make_self_signed(key.get(), {"a.test", "b.test"}), foreign = make_self_signed(other.get(), {"c.test"});
  const std::int64_t now = std::time(nullptr);
  CHECK_NOTHROW(check_chain(pair.certificate, key.get(), {"a.test", "b.test"}, now));
  CHECK_THROWS_WITH(check_chain(pair.certificate, other.get(), {"a.test"}, now), "the CA's certificate is for another key");
  CHECK_THROWS_WITH(check_chain(pair.certificate, key.get(), {"c.test"}, now),
                    "the CA's certificate does not have the name \"c.test\"");
  CHECK_THROWS_WITH(check_chain(pair.certificate, key.get(), {"a.test"}, now + 30 * 24 * 3600),
                    "the CA's certificate has expired");
  CHECK_THROWS_AS(check_chain(pair.certificate + foreign.certificate, key.get(), {"a.test"}, now), AcmeError);
  CHECK_THROWS_AS(check_chain("nonsense", key.get(), {"a.test"}, now), AcmeError);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a pair goes into one file and comes out of it") {
  const auto key = make_key(KeyType());
  const Pair pair = make_self_signed(key.get(), {"a.test"});
  const auto again = parted(joined(pair));
  REQUIRE(again);
  CHECK(again->certificate == pair.certificate);
  CHECK(again->key == pair.key);
  CHECK(!parted(pair.certificate));
  CHECK(!parted(joined(pair).substr(0, 100)));
}

TEST_CASE("what stands in a status file survives, and nonsense is none") {
  Status status;
  status.failures = 3;
  status.next_try = 12345;
  status.error = "with \"quotes\" and \xff";
  status.order = "https://ca/1";
  status.issued_by = "ca";
  status.rests["ca"] = 77;
  const Status again = Status::parse(status.text());
  CHECK(again.failures == 3);
  CHECK(again.next_try == 12345);
  CHECK(again.order == "https://ca/1");
  CHECK(again.issued_by == "ca");
  CHECK(again.rests == status.rests);
  CHECK(Status::parse("{\"next_try\":9223372036854775807}").next_try == 253'402'300'799);
  CHECK(Status::parse("{\"next_try\":-1,\"rests\":[1]}").next_try == 0);
  CHECK(Status::parse("[1]").failures == 0);
  CHECK(Status::parse("{\"failures\":\"many\"}").failures == 0);
  CHECK(id_of({"*.a.test", "a.test"}, KeyType()).starts_with("_.a.test-"));
  CHECK(id_of({"a.test"}, KeyType()) != id_of({"a.test"}, KeyType::parse("rsa")));
}
