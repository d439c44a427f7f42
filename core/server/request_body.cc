#include "seawall/server/request_body.h"

#include <unistd.h>

#include <cerrno>

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/temporary_file.h"

namespace seawall {

Task<Result<Piece>> RequestBody::read(Exchange& x) {
  if (ended_) co_return Piece(Slice(), true);
  Result<Piece> piece = co_await source_->read(x);
  if (!piece) {
    x.keep_alive = false;
    co_return piece.error();
  }
  received_ += piece->data.size();
  ended_ = piece->last;
  const std::int64_t limit = *x.core().client_max_body_size;
  if (limit > 0 && received_ > static_cast<std::uint64_t>(limit)) {
    x.keep_alive = false;
    x.log(Level::error, "client intended to send too large chunked body: " + std::to_string(received_) + " bytes");
    co_return Errc::body_too_large;
  }
  if (keep_at_most_ > 0) keep(piece->data.view());
  co_return piece;
}

RequestBody::~RequestBody() {
  if (remove_ && !name_.empty()) ::unlink(name_.c_str());
}

void RequestBody::keep(std::string_view piece) {
  if (received_ > static_cast<std::uint64_t>(keep_at_most_)) {
    keep_at_most_ = 0;
    small_ = {};
    return;
  }
  small_.append(piece);
  if (ended_ && !kept_) kept_ = Slice::from(std::move(small_));
}

std::string RequestBody::file_name() const {
  if (!name_.empty() || !file_) return name_;
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_->file->fd.get());
}

Result<Fd> RequestBody::make_file(const Exchange& x) {
  const BodyInFile rule = *x.core().client_body_in_file_only;
  if (rule == BodyInFile::off) return make_temporary_file(*x.core().client_body_temp_path);
  remove_ = rule == BodyInFile::clean;
  return make_named_file(*x.core().client_body_temp_path, name_);
}

Task<Result<Slice>> RequestBody::read_all(Exchange& x) {
  if (kept_) co_return *kept_;
  if (file_) co_return read_file();
  if (!ended_) source_->expect_whole();
  std::string whole;
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
    whole.append(piece->data.view());
  }
  kept_ = Slice::from(std::move(whole));
  co_return *kept_;
}

Result<Slice> RequestBody::read_file() {
  std::string whole(static_cast<std::size_t>(file_->length), '\0');
  std::size_t n = 0;
  while (n < whole.size()) {
    const ssize_t got = ::pread(file_->file->fd.get(), whole.data() + n, whole.size() - n, static_cast<off_t>(n));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? system_error_code(errno) : make_error_code(Errc::truncated);
    n += static_cast<std::size_t>(got);
  }
  return Slice::from(std::move(whole));
}

Task<Result<void>> RequestBody::store(Exchange& x) {
  if (ended_) co_return Result<void>();
  source_->expect_whole();
  const auto most = static_cast<std::size_t>(*x.core().client_body_buffer_size);
  const bool only_file = *x.core().client_body_in_file_only != BodyInFile::off;
  std::string memory;
  std::shared_ptr<OpenFile> file;
  std::uint64_t written = 0;
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
    if (ended_ && memory.empty() && !file && !only_file && piece->data.size() <= most) {  // came in one
      kept_ = std::move(piece->data);
      co_return Result<void>();
    }
    memory.append(piece->data.view());
    if (memory.size() <= most && !(ended_ && (file || only_file))) continue;
    if (!file) {
      Result<Fd> made = make_file(x);
      if (!made) co_return file_failed(x, made.error());
      if (!only_file) x.log(Level::warn, "a client request body is buffered to a temporary file");
      file = std::make_shared<OpenFile>(std::move(*made));
    }
    Result<void> stored = write_at(file->fd.get(), memory, written);
    if (!stored) co_return file_failed(x, stored.error());
    written += memory.size();
    memory.clear();
  }
  if (file) file_.emplace(std::move(file), 0, written);
  else kept_ = Slice::from(std::move(memory));
  co_return Result<void>();
}

std::error_code RequestBody::file_failed(Exchange& x, std::error_code error) {
  x.keep_alive = false;
  x.log(Level::crit, "a temporary file in \"" + *x.core().client_body_temp_path + "\" failed " + describe(error));
  return error;
}

const Headers& RequestBody::trailers() const {
  static const Headers none;
  return source_ ? source_->trailers() : none;
}

Task<Result<void>> RequestBody::discard(Exchange& x) {
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
  }
  co_return Result<void>();
}

}  // namespace seawall
