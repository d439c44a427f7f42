// H2Batch: frames on their way to the socket. They are gathered and sent in one step, so that a thread needs one batch for
// all of its connections. One loop.
#pragma once
#include <cstddef>
#include <cstring>
#include <string_view>

namespace seawall {

class H2Batch {
 public:
  static H2Batch& of_thread();
  // For TLS a batch is three records, which TlsStream seals in one go; without, what goes into one send.
  void begin(bool tls);
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ >= limit_; }
  std::string_view view() const { return {bytes_, size_}; }

  void append(const void* data, std::size_t n) {
    std::memcpy(bytes_ + size_, data, n);
    size_ += n;
  }
  // Room for one DATA frame, or null when it has to wait for the next batch.
  char* room_for(std::size_t n);
  void commit(std::size_t n) { size_ += n; }
  // How much data the next frame may have, of what it would like.
  std::size_t data_length(std::size_t wanted) const;

  static constexpr std::size_t kFrameHead = 9;
  static constexpr std::size_t kLargestData = 32 * 1024;

 private:
  static constexpr std::size_t kRecords = 3 * 16 * 1024;
  static constexpr std::size_t kPlain = 48000;
  std::size_t size_ = 0, limit_ = kPlain;
  bool tls_ = false;
  char bytes_[kRecords + kLargestData + 1024];
};

}  // namespace seawall
