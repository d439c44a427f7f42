#include "seawall/server/h2_preface.h"

#include <utility>

#include "seawall/http/h1_head.h"

namespace seawall {
namespace {

constexpr std::size_t kType = 3, kFlags = 4;  // in a frame's head
constexpr char kSettings = 4, kAck = 1;
constexpr std::string_view kEmptySettings("\0\0\0\4\0\0\0\0\0", 9);

}  // namespace

std::optional<std::string> H2Preface::feed(std::string_view bytes) {
  held_ += bytes;
  const std::string_view begun = std::string_view(held_).substr(0, kH2Preface.size());
  wrong_ = begun != kH2Preface.substr(0, begun.size());
  if (wrong_ || held_.size() < kH2Preface.size() + kFlags + 1) return std::nullopt;
  const std::string_view frame = std::string_view(held_).substr(kH2Preface.size());
  completed_ = frame[kType] != kSettings || (frame[kFlags] & kAck);
  if (completed_) held_.insert(kH2Preface.size(), kEmptySettings);
  return std::exchange(held_, {});
}

}  // namespace seawall
