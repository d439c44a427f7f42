#include "catch.h"
#include "seawall/base/base64.h"

using seawall::decode_base64;

TEST_CASE("base64 decodes with and without padding") {
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zg") == "f");
  CHECK(decode_base64("Zm8=") == "fo");
  CHECK(decode_base64("dXNlcjpwYXNz") == "user:pass");
  CHECK(decode_base64("+/+/") == "\xfb\xff\xbf");
}

TEST_CASE("base64 refuses foreign characters and impossible lengths") {
  CHECK_FALSE(decode_base64("Z"));
  CHECK_FALSE(decode_base64("Zm9vY"));
  CHECK_FALSE(decode_base64("Zm9v!A=="));
  CHECK_FALSE(decode_base64("Zg==="));
  CHECK_FALSE(decode_base64("-_-_"));
}
