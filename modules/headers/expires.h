// expires: until when a response may be kept. Made at start-up, used on any loop.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "seawall/module/module.h"

namespace seawall::headers {

class Expires {
 public:
  enum class From : std::uint8_t { off, epoch, max, now, modified, time_of_day };

  Expires() = default;
  // expires [modified] TIME; expires epoch | max | off. ConfigError in nginx's wording.
  explicit Expires(const Invocation& in);
  bool is_off() const { return from_ == From::off && value_.is_literal(); }
  // Writes Expires and Cache-Control.
  void date(Exchange& x, Response& response) const;

 private:
  // What a word says: nothing and a reason when it is no time.
  const char* parse(std::string_view word);
  void write(Response& response) const;

  From from_ = From::off;
  std::chrono::seconds time_{0};
  Template value_;           // when it has variables: parsed for each request
  bool written_negative_ = false;
};

}  // namespace seawall::headers
