// A body that a script gives the request in place of the client's. One loop.
#pragma once
#include <memory>
#include <variant>

#include "script.h"
#include "seawall/server/request_body.h"

namespace seawall::lua {

// Bytes, or a file's, as a source that can be read once.
class NewBody final : public BodySource {
 public:
  NewBody(Body body, std::uint64_t size) : size_(size), reader_(reader_of(std::move(body))) {}
  Task<Result<Piece>> read(Exchange&) override { return reader_->read(); }
  const Headers& trailers() const override { return none_; }
  std::uint64_t wire_size() const override { return size_; }

 private:
  const std::uint64_t size_;
  const std::unique_ptr<Reader> reader_;
  Headers none_;
};

// Its reader was ended before it had all of it.
void lose_body(Exchange& x);

// Puts it into the client's place, of which nothing is left, and says its length in the head.
Task<Result<void>> replace_body(Exchange& x, Body body, std::uint64_t size);

class NewBodyAwait final : public Await {
 public:
  NewBodyAwait(Exchange& x, std::variant<Slice, std::string> bytes_or_path) : x_(x), what_(std::move(bytes_or_path)) {}
  Task<void> run() override;
  int push(lua_State* L) override;

 private:
  Exchange& x_;
  std::variant<Slice, std::string> what_;
  std::string error_;
};

}  // namespace seawall::lua
