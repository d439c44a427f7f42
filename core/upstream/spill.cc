#include "seawall/upstream/spill.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "seawall/base/buffer.h"
#include "seawall/server/temporary_file.h"

namespace seawall {

Result<void> Spill::open(const std::string& folder) {
  Result<Fd> file = make_temporary_file(folder);
  if (!file) return file.error();
  file_ = std::move(*file);
  return {};
}

Result<void> Spill::append(std::string_view bytes) {
  if (Result<void> written = write_at(file_.get(), bytes, to_); !written) return written;
  to_ += bytes.size();
  return {};
}

Result<Slice> Spill::take(std::size_t most) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, size()));
  Ref<Block> block = Block::make(wanted);
  ssize_t n;
  do n = ::pread(file_.get(), block->data(), wanted, static_cast<off_t>(from_));
  while (n < 0 && errno == EINTR);
  if (n < 0) return system_error_code(errno);
  if (n == 0) return Errc::truncated;
  from_ += static_cast<std::uint64_t>(n);
  if (empty()) from_ = to_ = 0;  // the next bytes begin at the front again: the file stays as small as the client is close
  const std::string_view bytes(block->data(), static_cast<std::size_t>(n));
  return Slice(Ref<Owner>(std::move(block)), bytes);
}

}  // namespace seawall
