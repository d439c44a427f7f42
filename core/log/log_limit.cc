#include "seawall/log/log_limit.h"

#include <utility>

namespace seawall {
namespace {

constexpr std::size_t kKinds = 64;
constexpr std::size_t kExample = 120;

std::uint64_t kind_number(std::string_view message) {
  std::uint64_t hash = 0xcbf29ce484222325;
  bool quoted = false;
  for (const char c : message) {
    if (c == '"') quoted = !quoted;
    if (quoted || (c >= '0' && c <= '9')) continue;
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

LogLimit::Kind& LogLimit::kind_of(std::string_view message, std::int64_t now) {
  const std::uint64_t number = kind_number(message);
  const auto known = kinds_.find(number);
  if (known != kinds_.end()) return known->second;
  if (kinds_.size() >= kKinds) {
    for (auto kind = kinds_.begin(); kind != kinds_.end();) {
      const bool over = now - kind->second.begun >= window_;
      if (over) tell(kind->second);
      kind = over ? kinds_.erase(kind) : std::next(kind);
    }
  }
  return kinds_.size() < kKinds ? kinds_[number] : rest_;
}

void LogLimit::tell(const Kind& kind) {
  if (kind.lines <= most_) return;
  left_out_.push_back({kind.level, std::to_string(kind.lines - most_) + " more lines were left out like: " + kind.example});
}

bool LogLimit::takes(Level level, std::string_view message, std::int64_t now) {
  if (level <= Level::crit) return true;
  const std::lock_guard lock(mutex_);
  Kind& kind = kind_of(message, now);
  if (kind.lines == 0 || now - kind.begun >= window_) {
    tell(kind);
    kind.begun = now;
    kind.lines = 0;
    kind.level = level;
    kind.example = message.substr(0, kExample);
  }
  return ++kind.lines <= most_;
}

std::vector<LogLimit::LeftOut> LogLimit::take_left_out(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (now - looked_ >= window_) {
    looked_ = now;
    const auto look = [&](Kind& kind) {
      if (now - kind.begun < window_) return;
      tell(kind);
      kind.lines = 0;
    };
    for (auto& [number, kind] : kinds_) look(kind);
    look(rest_);
  }
  return std::exchange(left_out_, {});
}

}  // namespace seawall
