#include "seawall/http/body.h"

namespace seawall {

std::optional<std::uint64_t> length_of(const Body& body) {
  if (std::holds_alternative<std::monostate>(body)) return 0;
  if (auto* slice = std::get_if<Slice>(&body)) return slice->size();
  if (auto* part = std::get_if<FilePart>(&body)) return part->length;
  if (auto* reader = std::get_if<std::unique_ptr<Reader>>(&body)) return (*reader)->length();
  return std::nullopt;
}

}  // namespace seawall
