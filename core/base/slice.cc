#include "seawall/base/slice.h"

#include "seawall/base/pool.h"

namespace seawall {
namespace {

class StringOwner final : public Owner, public Pooled {
 public:
  explicit StringOwner(std::string text) : text(std::move(text)) {}
  const std::string text;
};

}  // namespace

Slice Slice::from(std::string text) {
  auto* owner = new StringOwner(std::move(text));
  return Slice(Ref<Owner>(owner), owner->text);
}

}  // namespace seawall
