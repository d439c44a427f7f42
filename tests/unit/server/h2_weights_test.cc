#include "seawall/server/h2_weights.h"

#include "catch.h"

using seawall::H2Weights;

TEST_CASE("H2Weights: the heavier first, the usual weight is 16") {
  H2Weights w;
  w.set(1, 0, 200, false);
  w.set(3, 0, 8, false);
  CHECK(w.before(1, 3));
  CHECK_FALSE(w.before(3, 1));
  CHECK(w.before(1, 5));
  CHECK(w.before(5, 3));
  CHECK_FALSE(w.before(5, 7));
}

TEST_CASE("H2Weights: who depends on another is behind it, whatever it weighs") {
  H2Weights w;
  w.set(3, 0, 1, false);
  w.set(1, 3, 256, false);
  CHECK(w.before(3, 1));
  CHECK(w.before(5, 1));
  w.set(7, 99, 16, true);  // nobody knows 99
  CHECK(w.before(7, 3));
  CHECK(w.before(3, 1));
}

TEST_CASE("H2Weights: an exclusive stream is put above its siblings") {
  H2Weights w;
  w.set(1, 0, 256, false);
  w.set(3, 0, 16, true);
  CHECK(w.before(3, 1));
}

TEST_CASE("H2Weights: a stream may come to depend on one below it") {
  H2Weights w;
  w.set(1, 0, 16, false);
  w.set(3, 1, 16, false);
  w.set(5, 3, 16, false);
  w.set(1, 5, 16, false);
  CHECK(w.before(5, 1));
  CHECK(w.before(5, 3));
  w.set(1, 5, 16, true);
  CHECK(w.before(5, 1));
}

TEST_CASE("H2Weights: it does not grow without end, and a circle ends") {
  H2Weights w;
  for (std::int32_t id = 1; id < 4000; id += 2) w.set(id, id - 2, 16, (id & 2) != 0);
  CHECK_FALSE(w.knows(1));
  CHECK(w.knows(3999));
  for (int round = 0; round < 3; ++round)
    for (std::int32_t id = 3999; id > 3800; id -= 2) w.set(id - 50, id, 16, true);
  CHECK_FALSE(w.before(3999, 3999));
}

TEST_CASE("a stream that depends on itself says nothing") {
  H2Weights weights;
  weights.set(1, 0, 16, false);
  weights.set(1, 1, 256, false);
  weights.set(3, 1, 16, false);
  CHECK(weights.before(1, 3));
}
