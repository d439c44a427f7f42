// Bodies that scripts make: one that is still running, read as it speaks; and bytes beside a length that was announced for them.
// One loop.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "script.h"
#include "seawall/http/message.h"

namespace seawall::lua {

// The length that a field says; nothing when it is no number.
std::optional<std::uint64_t> parse_length(std::string_view text);

class ScriptBody final : public Reader {
 public:
  ScriptBody(std::unique_ptr<Script> script, std::optional<std::uint64_t> length) : script_(std::move(script)), length_(length) {}
  ~ScriptBody() override;
  Task<Result<Piece>> read() override;
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  std::unique_ptr<Script> script_;
  const std::optional<std::uint64_t> length_;
  bool begun_ = false, done_ = false;
};

// The script goes on with the connection as its own (ngx.req.socket(true)), and when it ends, so does that.
class ScriptTunnel final : public Tunnel {
 public:
  explicit ScriptTunnel(std::unique_ptr<Script> script) : script_(std::move(script)) {}
  ~ScriptTunnel() override;
  Task<void> run(Stream& client, Slice already_read) override;

 private:
  std::unique_ptr<Script> script_;
};

// The length is what a script has said, whatever the bytes are; `fails`: they are not all.
class SaidBody final : public Reader {
 public:
  SaidBody(std::string bytes, std::optional<std::uint64_t> length, bool fails = false)
      : bytes_(std::move(bytes)), length_(length), fails_(fails) {}
  Task<Result<Piece>> read() override;
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  std::string bytes_;
  const std::optional<std::uint64_t> length_;
  const bool fails_;
  bool given_ = false;
};

// A script has taken the length of the body away: the client hears its end, not its length.
void make_length_unknown(Response& response);

}  // namespace seawall::lua
