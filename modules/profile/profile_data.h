// What a profile is before it is written down: stacks with a number of values each. One request's.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace seawall::profile {

class ValueType {
 public:
  const char* type;  // "cpu"
  const char* unit;  // "nanoseconds"
};

class Stack {
 public:
  std::vector<std::uintptr_t> addresses;  // the innermost first; of callers the return address less one, so that it lies in the call
  std::vector<std::string> names;         // instead of addresses: frames of scripts
  std::vector<std::int64_t> values;       // one for each ValueType
  int loop = -1;                          // whose it is; -1: nobody's
};

class ProfileData {
 public:
  std::vector<ValueType> types;
  std::size_t shown = 0;        // which of the types a flame graph shows
  ValueType period_type{};
  std::int64_t period = 0;
  std::int64_t time = 0, duration = 0;  // ns; since the epoch
  std::vector<Stack> stacks;
};

}  // namespace seawall::profile
