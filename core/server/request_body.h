// The body of a request: unread until somebody asks. Each read bounds itself by the location's client_body_* deadlines
// and client_max_body_size. One loop.
//
//   auto all = co_await x.body.read_all();            // buffered; 413, 408, 400 come as errors
//   auto piece = co_await x.body.read();              // or piece by piece, as it arrives
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "seawall/http/body.h"

namespace seawall {

class Exchange;

// Where the bytes come from: an HTTP/1 connection or an HTTP/2 stream.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next bytes, last marked; waits within the deadlines of `x`.
  virtual Task<Result<Piece>> read(Exchange& x) = 0;
  // All of it will be read, without a pause.
  virtual void expect_whole() {}
  virtual const Headers& trailers() const = 0;
  // Bytes so far, as they came: with the framing of chunks.
  virtual std::uint64_t wire_size() const = 0;
};

class SEAWALL_API RequestBody {
 public:
  RequestBody() = default;
  RequestBody(const RequestBody&) = delete;
  // No source: the request has no body.
  void attach(BodySource* source, std::optional<std::uint64_t> length) {
    source_ = source;
    length_ = length;
    ended_ = source == nullptr;
  }
  bool present() const { return source_ != nullptr; }
  bool ended() const { return ended_; }                                  // all of it has been read
  std::optional<std::uint64_t> length() const { return length_; }        // as announced; none for chunked
  std::uint64_t received() const { return received_; }                   // data so far
  std::uint64_t wire_size() const { return source_ ? source_->wire_size() : 0; }

  Task<Result<Piece>> read(Exchange& x);
  // The whole body as one Slice, kept for later readers (all() of a retry, $request_body).
  Task<Result<Slice>> read_all(Exchange& x);
  const Slice* kept() const { return stored_ && stored_->memory ? &*stored_->memory : nullptr; }
  // Reads the whole body and keeps it for whoever asks, even several times: in memory up to client_body_buffer_size, a longer
  // one in a file. Errors: also errno of that file.
  Task<Result<void>> store(Exchange& x);
  const FilePart* file() const { return stored_ && stored_->file ? &*stored_->file : nullptr; }  // of a stored body that is not in kept()
  // Some of it was read by somebody who did not keep it: the whole is not to be had any more.
  bool is_spent() const { return received_ > 0 && !kept() && !file(); }
  // Where the file can be read by others, if there is one.
  std::string file_name() const;
  // A body that is read piece by piece is kept as well, as long as it is no longer than that.
  void keep_small(std::int64_t most) { stored().keep_at_most = most; }
  // The fields behind a chunked body; complete once it has ended.
  const Headers& trailers() const;
  // Reads what is left and forgets it.
  Task<Result<void>> discard(Exchange& x);

 private:
  // Most requests have no body.
  class Stored {
   public:
    Stored() = default;
    ~Stored();
    Stored(const Stored&) = delete;
    std::optional<Slice> memory;
    std::optional<FilePart> file;
    std::string name;               // of the file, where it has one (client_body_in_file_only)
    bool remove = false;            // ... and loses it with the request
    std::int64_t keep_at_most = 0;  // while it is read piece by piece:
    std::string small;
  };
  Stored& stored();
  Result<Slice> read_file();
  static std::error_code file_failed(Exchange& x, std::error_code error);
  Result<Fd> make_file(const Exchange& x);
  void keep(std::string_view piece);
  BodySource* source_ = nullptr;
  std::optional<std::uint64_t> length_;
  std::uint64_t received_ = 0;
  std::unique_ptr<Stored> stored_;
  bool ended_ = true;
};

}  // namespace seawall
