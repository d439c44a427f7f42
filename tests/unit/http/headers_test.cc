// Fields of a message: in order, by id or name, set and removed.
#include "seawall/http/headers.h"

#include "catch.h"

using namespace seawall;

namespace {

std::string joined(const Headers& headers) {
  std::string all;
  for (const Field& field : headers.all()) all.append(field.name).append("=").append(field.value).append(";");
  return all;
}

}  // namespace

TEST_CASE("names are found whatever their case") {
  CHECK(field_id("content-LENGTH") == FieldId::content_length);
  CHECK(field_id("Content-Lengt") == FieldId::other);
  CHECK(field_id("") == FieldId::other);
  Headers headers;
  headers.add("X-One", "1");
  headers.add("ETag", "\"a\"");
  CHECK(headers.get("x-one") == "1");
  CHECK(headers.get(FieldId::etag) == "\"a\"");
  CHECK(headers.has(FieldId::etag));
  CHECK_FALSE(headers.has(FieldId::date));
  CHECK(headers.get("absent").empty());
}

TEST_CASE("set replaces the first and drops the others, remove drops all") {
  Headers headers;
  headers.add("A", "1");
  headers.add("Vary", "x");
  headers.add("a", "2");
  headers.add("Vary", "y");
  CHECK(headers.count(FieldId::vary) == 2);
  headers.set("A", "3");
  CHECK(joined(headers) == "A=3;Vary=x;Vary=y;");
  headers.remove(FieldId::vary);
  CHECK_FALSE(headers.has(FieldId::vary));
  headers.remove("a");
  CHECK(headers.empty());
  headers.set("B", "1");
  CHECK(joined(headers) == "B=1;");
  headers.clear();
  CHECK(headers.empty());
}

TEST_CASE("added text is copied, and moves with the fields") {
  Headers headers;
  {
    std::string value(5000, 'v');
    headers.add("A", value);
    value.assign(5000, 'x');
  }
  const Headers moved = std::move(headers);
  CHECK(moved.get("A") == std::string(5000, 'v'));
}
