// Texts and conditions in parameters of commands. One loop.
#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "conf.h"

namespace seawall::ssi {

// A command that cannot be obeyed; the text is for the error log.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a variable or a block keeps at most: pages may double them line by line.
inline constexpr std::size_t kLargestValue = 64 * 1024;

// Set in a page, else the server's. Nothing: there is none.
std::optional<std::string> variable(Exchange& x, const Conf& conf, const std::string& name);
// With the values of $name and ${name}; a backslash makes the next \ ' " or $ mean itself. Throws CommandError.
std::string evaluate(Exchange& x, const Conf& conf, std::string_view text);
// Of `if` and `elif`. Throws CommandError.
bool holds(Exchange& x, const Conf& conf, std::string_view expression);

}  // namespace seawall::ssi
