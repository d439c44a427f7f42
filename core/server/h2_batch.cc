#include "seawall/server/h2_batch.h"

#include <algorithm>
#include <memory>

namespace seawall {

H2Batch& H2Batch::of_thread() {
  static thread_local const std::unique_ptr<H2Batch> batch(new H2Batch);
  return *batch;
}

void H2Batch::begin(bool tls) {
  size_ = 0;
  tls_ = tls;
  limit_ = tls ? kRecords : kPlain;
}

char* H2Batch::room_for(std::size_t n) {
  const std::size_t most = tls_ ? kRecords : sizeof bytes_;
  if (full() || (size_ + n > most && size_ > 0)) return nullptr;
  return bytes_ + size_;
}

// With TLS a frame is cut so that it ends where the batch does: else its rest would be a record and a send of its own.
std::size_t H2Batch::data_length(std::size_t wanted) const {
  constexpr std::size_t kWorthwhile = 4096;
  wanted = std::min(wanted, kLargestData);
  if (!tls_ || size_ + kFrameHead + kWorthwhile > kRecords) return wanted;
  return std::min(wanted, kRecords - size_ - kFrameHead);
}

}  // namespace seawall
