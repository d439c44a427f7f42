// The filters every response passes, as the core module's: conditions first, ranges last. Any loop.
#include "seawall/server/core_module.h"
#include "seawall/server/exchange.h"
#include "seawall/server/not_modified.h"
#include "seawall/server/range.h"

namespace seawall {
namespace {

bool always(const CoreConf&) { return true; }
bool serves_ranges(const CoreConf& core) { return *core.max_ranges > 0; }

constexpr Filter rows[] = {
    filter<CoreConf, always, filter_not_modified>(FilterStage::not_modified),
    filter<CoreConf, serves_ranges, filter_range>(FilterStage::range),
};

}  // namespace

const std::span<const Filter> CoreModule::filters = rows;

}  // namespace seawall
