#include "seawall/server/forwarded_address.h"

namespace seawall {
namespace {

// Takes the last element off a list that commas and spaces divide; empty at its end.
std::string_view take_last(std::string_view& list) {
  const std::size_t end = list.find_last_not_of(" ,");
  list = list.substr(0, end == list.npos ? 0 : end + 1);
  const std::size_t before = list.find_last_of(" ,");
  const std::size_t begin = before == list.npos ? 0 : before + 1;
  const std::string_view last = list.substr(begin);
  list = list.substr(0, begin);
  return last;
}

}  // namespace

std::optional<Address> forwarded_address(const Address& from, std::span<const std::string_view> values,
                                         const std::function<bool(const Address&)>& trusts, bool recursive) {
  std::optional<Address> found;
  for (std::size_t i = values.size(); i-- > 0;) {
    std::string_view list = values[i];
    for (std::string_view text = take_last(list); !text.empty(); text = take_last(list)) {
      if (!trusts(found ? *found : from)) return found;
      const std::optional<Address> address = Address::parse(text);
      if (!address || address->is_unix()) return found;
      found = address;
      if (!recursive) return found;
    }
  }
  return found;
}

}  // namespace seawall
