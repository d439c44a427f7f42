#include "seawall/server/cpu_affinity.h"

#include <string>

namespace seawall {
namespace {

// "0101": the last digit is the first processor; spaces part them for the eye.
cpu_set_t parse_mask(const std::string& word) {
  if (word.size() > CPU_SETSIZE)
    throw ConfigError("\"worker_cpu_affinity\" supports up to " + std::to_string(CPU_SETSIZE) + " CPUs only");
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::size_t cpu = 0;
  for (auto digit = word.rbegin(); digit != word.rend(); ++digit) {
    if (*digit == ' ') continue;
    if (*digit != '0' && *digit != '1') throw ConfigError(std::string("invalid character \"") + *digit + "\" in \"worker_cpu_affinity\"");
    if (*digit == '1') CPU_SET(cpu, &mask);
    ++cpu;
  }
  return mask;
}

// Those that this process may use: in a container they need not be the first ones.
cpu_set_t all_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  ::sched_getaffinity(0, sizeof mask, &mask);
  return mask;
}

cpu_set_t nth_of(const cpu_set_t& mask, int n) {
  std::size_t cpu = 0;
  for (int left = n % CPU_COUNT(&mask);; ++cpu)
    if (CPU_ISSET(cpu, &mask) && left-- == 0) break;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  return one;
}

}  // namespace

CpuAffinity CpuAffinity::parse(const Invocation& in) {
  CpuAffinity affinity;
  affinity.spread_ = in.arg(0) == "auto";
  if (affinity.spread_ && in.args().size() > 2) throw ConfigError("invalid number of arguments in \"worker_cpu_affinity\" directive");
  if (affinity.spread_ && in.args().size() == 1) affinity.masks_.push_back(all_cpus());
  for (std::size_t i = affinity.spread_ ? 1 : 0; i < in.args().size(); ++i) affinity.masks_.push_back(parse_mask(in.arg(i)));
  return affinity;
}

std::optional<cpu_set_t> CpuAffinity::of(int loop) const {
  if (masks_.empty()) return std::nullopt;
  const auto n = static_cast<std::size_t>(loop);
  const cpu_set_t& mask = n < masks_.size() ? masks_[n] : masks_.back();
  if (CPU_COUNT(&mask) == 0 && spread_) return std::nullopt;
  return spread_ ? nth_of(mask, loop) : mask;
}

}  // namespace seawall
