// What a response carries: nothing, bytes, a part of a file, a Reader that is pulled while it is sent, or (101, CONNECT)
// a tunnel. One loop.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "seawall/async/task.h"
#include "seawall/base/result.h"
#include "seawall/base/slice.h"
#include "seawall/base/fd.h"
#include "seawall/http/headers.h"

namespace seawall {

class Stream;  // net/stream.h

// One step of a pulled body. The last piece says that it is the last: an extra empty read would cost HTTP/2 a frame.
class Piece {
 public:
  Piece(Slice data, bool last) : data(std::move(data)), last(last) {}
  Slice data;
  bool last;
};

// A body that is produced while it is being sent:
//
//   for (;;) { auto piece = co_await body.read(); if (!piece) break; send(piece->data); if (piece->last) break; }
//
// The next read() means that the piece before is on its way: that is all the flow control there is. An error ends the
// connection (HTTP/1) or resets the stream, so that the client never takes half a body for a whole one.
// The destructor never waits: it closes or hands back what the Reader owns.
class SEAWALL_API Reader {
 public:
  virtual ~Reader() = default;
  virtual Task<Result<Piece>> read() = 0;
  // The length of the whole body when it is known before the first read.
  virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
  // Asked once, after the last piece.
  virtual Headers trailers() { return {}; }
};

// An open file, shared by the responses that send parts of it and by the cache that found it.
class OpenFile {
 public:
  explicit OpenFile(Fd fd) : fd(std::move(fd)) {}
  const Fd fd;
};

// length bytes from offset; sendfile on plain HTTP/1. A file that turns out shorter is Errc::truncated.
class FilePart {
 public:
  FilePart(std::shared_ptr<OpenFile> file, std::uint64_t offset, std::uint64_t length)
      : file(std::move(file)), offset(offset), length(length) {}
  std::shared_ptr<OpenFile> file;
  std::uint64_t offset;
  std::uint64_t length;
};

// Takes the connection over once the head is out (101 Switching Protocols, CONNECT).
class SEAWALL_API Tunnel {
 public:
  virtual ~Tunnel() = default;
  virtual Task<void> run(Stream& client, Slice already_read) = 0;
};

using Body = std::variant<std::monostate, Slice, FilePart, std::unique_ptr<Reader>, std::unique_ptr<Tunnel>>;

// The body's length when it is known: always, but for a Reader that does not say and a tunnel.
SEAWALL_API std::optional<std::uint64_t> length_of(const Body& body);
// What a filter that needs the bytes calls: any body (but a tunnel) as a Reader. File parts are read in pieces of at most
// 64 KiB, on the calling thread.
SEAWALL_API std::unique_ptr<Reader> reader_of(Body body);

}  // namespace seawall
