#include "catch.h"
#include "seawall/server/not_modified.h"

using seawall::list_has_etag;

TEST_CASE("an entity tag is found anywhere in a list") {
  CHECK(list_has_etag("\"a\"", "\"a\"", true));
  CHECK(list_has_etag("\"x\", \"y\",\t\"a\" , \"z\"", "\"a\"", true));
  CHECK_FALSE(list_has_etag("\"x\"", "\"a\"", true));
  CHECK_FALSE(list_has_etag("", "\"a\"", true));
  CHECK_FALSE(list_has_etag("\"ab\"", "\"a\"", true));
}

TEST_CASE("commas in a tag do not end it") {
  CHECK(list_has_etag("\"x,y\", \"a\"", "\"x,y\"", true));
  CHECK_FALSE(list_has_etag("\"x,\"a\"\"", "\"a\"", false));
}

TEST_CASE("weak comparison leaves W/ out, the other does not") {
  CHECK(list_has_etag("W/\"a\"", "\"a\"", true));
  CHECK(list_has_etag("\"a\"", "W/\"a\"", true));
  CHECK_FALSE(list_has_etag("W/\"a\"", "\"a\"", false));
  CHECK(list_has_etag("W/\"a\"", "W/\"a\"", false));
}

TEST_CASE("tags without quotes and broken ones end the search") {
  CHECK(list_has_etag("abc, def", "def", true));
  CHECK_FALSE(list_has_etag("\"abc", "\"a\"", true));
  CHECK_FALSE(list_has_etag("W/", "\"a\"", true));
  CHECK_FALSE(list_has_etag(" , ,\t", "\"a\"", true));
}
