// A test's own folder under /tmp (short, for unix sockets), its ports, and waiting for a file to change. One test
// thread. Folders of a test that passed are removed when it ends; those of a failed one stay and are named on stderr.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"

namespace test {

using Clock = std::chrono::steady_clock;
// How long a test waits for something that must happen; only a failing test ever waits so long.
inline constexpr std::chrono::seconds kPatience{10};

// Milliseconds left for poll(2), rounded up; 0 when over.
int left_until(Clock::time_point deadline);

std::string make_folder();  // with an empty logs/ in it, where a server writes what nobody configured
void write_file(const std::string& path, std::string_view content);  // makes the folders above it
std::string read_file(const std::string& path);                      // "" when there is none

// A port of 127.0.0.1 nobody listens on, below the range that connect() takes from; never the same twice.
int free_port();
seawall::Fd listen_on(int port);  // 127.0.0.1; empty when somebody else does

// Until check() holds: looks again whenever something in the folder changes. False when time is over, or when `process`
// (a pidfd, -1: none) has ended and check() still does not hold.
bool wait_for_change(const std::string& folder, const std::function<bool()>& check, Clock::time_point deadline,
                     int process = -1);

}  // namespace test
