// One more_set_headers or its like. Made at start-up, used on any loop.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::headers_more {

class Rule {
 public:
  enum class Kind { set, clear };
  enum class Of { response, request };
  // [-t 'TYPE ...'] [-s 'STATUS ...'] [-a] [-r] 'NAME: VALUE' ... or, to clear, NAME ... ConfigError.
  Rule(const Invocation& in, Kind kind, Of of);

  // Only for some types of bodies and some statuses (0: of a request, which has none).
  bool applies(std::string_view content_type, int status) const;
  void apply(Exchange& x, Headers& headers) const;

 private:
  class Item {
   public:
    std::string name;       // without its final '*'
    bool starts = false;    // any name that begins so
    FieldId id;
    Template value;
    bool clears = true;
  };
  std::size_t take_options(const Invocation& in, Of of);
  void add(const Invocation& in, const std::string& word, Kind kind);
  void clear(const Item& item, Headers& headers) const;

  bool of_response_ = false, append_ = false, only_present_ = false;
  std::vector<std::string> types_;
  std::vector<int> statuses_;
  std::vector<Item> items_;
};

}  // namespace seawall::headers_more
