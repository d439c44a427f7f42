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
  if (stored_ && stored_->keep_at_most > 0) keep(piece->data.view());
  co_return piece;
}

RequestBody::Stored::~Stored() {
  if (remove && !name.empty()) ::unlink(name.c_str());
}

RequestBody::Stored& RequestBody::stored() {
  if (!stored_) stored_ = std::make_unique<Stored>();
  return *stored_;
}

void RequestBody::keep(std::string_view piece) {
  if (received_ > static_cast<std::uint64_t>(stored_->keep_at_most)) {
    stored_->keep_at_most = 0;
    stored_->small = {};
    return;
  }
  stored_->small.append(piece);
  if (ended_ && !stored_->memory) stored_->memory = Slice::from(std::move(stored_->small));
}

std::string RequestBody::file_name() const {
  if (!stored_ || !stored_->name.empty() || !stored_->file) return stored_ ? stored_->name : std::string();
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(stored_->file->file->fd.get());
}

Result<Fd> RequestBody::make_file(const Exchange& x) {
  const BodyInFile rule = *x.core().client_body_in_file_only;
  if (rule == BodyInFile::off) return make_temporary_file(*x.core().client_body_temp_path);
  stored().remove = rule == BodyInFile::clean;
  return make_named_file(*x.core().client_body_temp_path, stored().name);
}

Task<Result<Slice>> RequestBody::read_all(Exchange& x) {
  if (kept()) co_return *kept();
  if (file()) co_return read_file();
  if (!ended_) source_->expect_whole();
  std::string whole;
  while (!ended_) {
    Result<Piece> piece = co_await read(x);
    if (!piece) co_return piece.error();
    whole.append(piece->data.view());
  }
  stored().memory = Slice::from(std::move(whole));
  co_return *kept();
}

Result<Slice> RequestBody::read_file() {
  const FilePart& part = *file();
  std::string whole(static_cast<std::size_t>(part.length), '\0');
  std::size_t n = 0;
  while (n < whole.size()) {
    const ssize_t got = ::pread(part.file->fd.get(), whole.data() + n, whole.size() - n, static_cast<off_t>(n));
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
      stored().memory = std::move(piece->data);
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
  if (file) stored().file.emplace(std::move(file), 0, written);
  else stored().memory = Slice::from(std::move(memory));
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
