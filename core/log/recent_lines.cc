#include "seawall/log/recent_lines.h"

#include <atomic>
#include <deque>
#include <mutex>

namespace seawall {
namespace {

constexpr std::size_t kLines = 50;

class Recent {
 public:
  std::atomic<bool> kept{false};
  std::mutex mutex;
  std::deque<std::string> lines;
};

Recent& recent() {
  static Recent lines;
  return lines;
}

}  // namespace

void keep_recent_lines() { recent().kept = true; }

std::vector<std::string> recent_lines() {
  const std::lock_guard lock(recent().mutex);
  return {recent().lines.begin(), recent().lines.end()};
}

bool keeps_lines(Level level) { return level <= Level::notice && recent().kept.load(std::memory_order_relaxed); }

void note_line(Level level, std::string_view line) {
  if (!keeps_lines(level)) return;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::lock_guard lock(recent().mutex);
  recent().lines.emplace_back(line);
  if (recent().lines.size() > kLines) recent().lines.pop_front();
}

}  // namespace seawall
