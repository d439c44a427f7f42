#include "trace_events.h"

#include "catch.h"

using seawall::profile::TraceEvents;

TEST_CASE("a trace keeps all events while there is room, and then the long ones") {
  TraceEvents events(100);
  for (std::int64_t i = 0; i < 100; ++i) events.add({i, 500, 0});
  CHECK(events.kept().size() == 100);
  CHECK(events.left_out() == 0);
  for (std::int64_t i = 0; i < 1000; ++i) events.add({i, i % 100 == 7 ? 50'000'000 : 3'000, 1});
  CHECK(events.kept().size() <= 100);
  CHECK(events.kept().size() + events.left_out() == 1100);
  CHECK(events.shortest() > 500);
  int longest = 0;
  for (const auto& event : events.kept()) longest += event.took == 50'000'000;
  CHECK(longest == 10);
  for (const auto& event : events.kept()) CHECK(event.took >= events.shortest());
}

TEST_CASE("of a trace's events that are all as long, half stay when there is no more room") {
  TraceEvents events(100);
  for (std::int64_t i = 0; i < 1001; ++i) events.add({i, 3'000, 0});
  CHECK(events.kept().size() >= 50);
  CHECK(events.kept().size() + events.left_out() == 1001);
  CHECK(events.shortest() == 3'000);
  events.add({0, 2'999, 0});
  CHECK(events.kept().size() + events.left_out() == 1002);
  for (const auto& event : events.kept()) CHECK(event.took == 3'000);
}
