// HTTP dates: the three forms of RFC 9110 5.6.7 and nothing near them.
#include "seawall/http/date.h"

#include "catch.h"

using seawall::http_date;
using seawall::parse_http_date;

TEST_CASE("the three forms of one second") {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    INFO(text);
    CHECK(parse_http_date(text) == 784111777);
  }
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(parse_http_date("sun, 06 NOV 1994 08:49:37 gmt") == 784111777);  // RFC 9111 4.2
  CHECK(parse_http_date("Sat Nov 26 08:49:37 1994") == 785839777);
}

TEST_CASE("a date written is read again as the same second") {
  for (std::int64_t t : {std::int64_t{0}, std::int64_t{951'782'400}, std::int64_t{1'709'164'800}, std::int64_t{2'147'483'648}, std::int64_t{253'402'300'799}}) {
    INFO(t);
    CHECK(parse_http_date(http_date(t)) == t);
  }
}

TEST_CASE("two digits of a year are of 1970 to 2069") {
  CHECK(parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT") == 0);
  CHECK(parse_http_date("Tuesday, 01-Jan-69 00:00:00 GMT") == 3124224000);
}

TEST_CASE("a leap second is the next minute's first") {
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800);
}

TEST_CASE("what is no HTTP date") {
  for (const char* text :
       {"", " ", "Sun", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvo 1994 08:49:37 GMT", "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT", "Su1, 06 Nov 1994 08:49:37 GMT", "Sun,06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT"}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text));
  }
}
