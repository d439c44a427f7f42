#include "buffer.h"

#include <zlib.h>

namespace seawall::access_log {
namespace {

// One gzip member; several in a row are a file that gunzip reads. False: there is no memory for it.
bool compress(std::string_view lines, int level, std::string& out) {
  constexpr int kGzipHeader = 16, kMemoryLevel = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + kGzipHeader, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  out.resize(::deflateBound(&stream, lines.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(lines.data()));
  stream.avail_in = static_cast<uInt>(lines.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return done;
}

}  // namespace

Buffer::Buffer(std::shared_ptr<const Destination> to) : Timer(due), to_(std::move(to)) { lines_.reserve(to_->buffer); }

Buffer::~Buffer() { flush(); }

void Buffer::append(std::string_view line) {
  std::lock_guard lock(mutex_);
  if (line.size() > to_->buffer - lines_.size()) {
    write(lines_);
    lines_.clear();
  }
  if (line.size() > to_->buffer) return write(line);
  if (lines_.empty() && to_->flush.count() > 0)
    Scheduler::current().arm(*this, Scheduler::current().now() + std::chrono::nanoseconds(to_->flush).count());
  lines_ += line;
}

void Buffer::flush() {
  std::lock_guard lock(mutex_);
  write(lines_);
  lines_.clear();
}

void Buffer::write(std::string_view lines) {
  if (lines.empty()) return;
  if (to_->gzip == 0) return to_->file->write(lines);
  std::string packed;
  if (compress(lines, to_->gzip, packed)) to_->file->write(packed);
  else seawall::log(Level::alert, "no memory to compress lines of \"" + to_->file->path() + "\": they are lost");
}

}  // namespace seawall::access_log
