#include "seawall/process/say.h"

#include <algorithm>
#include <iostream>

#include "seawall/log/log_form.h"

namespace seawall {
namespace {

bool to_terminal = true;

bool log_is_terminal() {
  const auto terminal = file_sink("stderr");
  const auto is_it = [&](const LogTarget& target) {
    const auto* const form = dynamic_cast<const LogForm*>(target.sink.get());
    return (form ? form->behind() : target.sink) == terminal;
  };
  return std::any_of(main_log().begin(), main_log().end(), is_it);
}

}  // namespace

void say(Level level, const std::string& text) {
  log(level, text);
  if (to_terminal && level <= Level::warn && !log_is_terminal())
    std::cerr << "nginx: [" << name_of(level) << "] " << text << "\n";
}

void stop_saying() { to_terminal = false; }

}  // namespace seawall
