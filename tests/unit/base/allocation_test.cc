// Which allocations a profiler hears of: as many as their bytes say, and the end of each.
#include "seawall/base/allocation.h"

#include <map>
#include <vector>

#include "catch.h"
#include "seawall/base/pool.h"

using namespace seawall;

namespace {

class Heard final : public AllocationSampler {
 public:
  bool sampled(const void* memory, std::size_t size) noexcept override {
    ++samples;
    return live.emplace(memory, size).second;
  }
  bool released(const void* memory) noexcept override { return live.erase(memory) == 1; }
  std::map<const void*, std::size_t> live;
  int samples = 0;
};

}  // namespace

// One test: there is one sampler, for good.
TEST_CASE("allocations are sampled by their bytes, and forgotten when they are released") {
  Heard& heard = *new Heard;
  constexpr std::size_t kMean = 10'000;
  sample_allocations(heard, kMean);
  std::vector<char> places(20'000);  // addresses that nothing else has
  for (const char& place : places) note_allocation(&place, 100);
  CHECK(heard.samples > 100);  // 200 are expected, 14 more or less
  CHECK(heard.samples < 300);
  CHECK(heard.live.size() >= 100);
  for (const char& place : places) note_release(&place);
  for (const auto& [memory, size] : heard.live) CHECK((memory < places.data() || memory >= places.data() + places.size()));
  // Large ones always are.
  const int before = heard.samples;
  for (int i = 0; i < 10; ++i) pool_free(pool_allocate(100 * kMean), 100 * kMean);
  const int after = heard.samples;  // before Catch allocates
  CHECK(after == before + 10);
  for (const auto& mark : allocation::marks) CHECK(mark < 255);
}
