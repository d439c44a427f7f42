// Pieces that wait come out as they went in, however both are mixed.
#include "seawall/upstream/slice_queue.h"

#include <string>

#include "catch.h"

using namespace seawall;

TEST_CASE("a queue of slices gives back what it took, in that order") {
  SliceQueue queue;
  CHECK(queue.empty());
  int in = 0, out = 0;
  const auto push = [&](int n) {
    for (; n > 0; --n) queue.push(Slice::from(std::to_string(in++)));
  };
  const auto pop = [&](int n) {
    for (; n > 0; --n) CHECK(queue.pop().view() == std::to_string(out++));
  };
  // Emptied, and never empty for long enough that what is gone is forgotten in between.
  push(3), pop(3);
  CHECK(queue.empty());
  push(100);
  for (int turn = 0; turn < 50; ++turn) pop(30), push(30);
  CHECK(queue.size() == 100);
  pop(100);
  CHECK(queue.empty());
  push(2);
  queue.clear();
  CHECK(queue.size() == 0);
}
