#include "seawall/base/list.h"

#include <vector>

#include "catch.h"

using namespace seawall;

namespace {

class Item : public ListNode {
 public:
  explicit Item(int number) : number(number) {}
  const int number;
};

std::vector<int> numbers(List<Item>& list) {
  std::vector<int> all;
  for (Item* item = list.front(); item; item = list.next(*item)) all.push_back(item->number);
  return all;
}

}  // namespace

TEST_CASE("an item goes before another one of the list, or to its end") {
  List<Item> list;
  Item one(1), two(2), three(3), four(4);
  list.push_back(two);
  list.insert(nullptr, four);
  list.insert(list.front(), one);
  list.insert(&four, three);
  CHECK(numbers(list) == std::vector{1, 2, 3, 4});
  three.unlink();
  CHECK(numbers(list) == std::vector{1, 2, 4});
  while (list.pop_front()) {
  }
  CHECK(list.empty());
}
