// The environment of workers and of a new binary: what `env` lets through or sets, and TZ (nginx).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall {

// Of this process, which must have one thread: what is neither said ("NAME", "NAME=value") nor kept (names) goes.
void restrict_environment(const std::vector<std::string>& said, std::span<const std::string_view> kept = {});

// What a new binary needs to speak with the service manager that we were started by.
std::span<const std::string_view> kept_for_new_binary();

}  // namespace seawall
