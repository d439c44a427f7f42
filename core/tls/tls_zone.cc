#include "seawall/tls/tls_zone.h"

#include <cstring>
#include <ctime>
#include <new>
#include <type_traits>

#include "seawall/base/check.h"

namespace seawall {
namespace {

constexpr std::size_t kSize = 1 << 20;
static_assert(sizeof(TlsZone::Contents) < kSize / 4 * 3 && std::is_trivially_destructible_v<TlsZone::Contents>);

SharedZone& zone() {
  static const std::shared_ptr<SharedZone> zone = SharedZone::open("tls", kSize, "tls 1");
  return *zone;
}

}  // namespace

void TlsZone::open() { zone(); }

TlsZone::Locked::Locked() : lock_(zone()) {
  SharedZone& memory = zone();
  contents_ = memory.at<Contents>(memory.root());
  if (contents_) return;
  const ZoneRef place = memory.allocate(sizeof(Contents));
  CHECK(place != 0);
  void* const bytes = memory.at<char>(place);
  std::memset(bytes, 0, sizeof(Contents));
  contents_ = new (bytes) Contents;
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  contents_->born = time.tv_sec;
  memory.set_root(place);
}

}  // namespace seawall
