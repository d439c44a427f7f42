#include "coded_body.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "loop_state.h"
#include "seawall/server/read_ahead.h"

namespace seawall::compress {
namespace {

// A body up to this size is coded before its head is sent, which can then tell its length: a few milliseconds, unless the coder is
// slow.
constexpr std::uint64_t kAtOnce = 256 * 1024;
// Less than this waits for more of a body that does not pause.
constexpr std::size_t kWorthSending = 4096;
// Text becomes about this small; a guess that is too low costs a copy.
constexpr std::size_t expected_of(std::uint64_t length) {
  constexpr std::uint64_t kShort = 2048;  // shrinks less
  return static_cast<std::size_t>(std::max(length / 4, std::min(length + 64, kShort)));
}

// A coder that is slow works on a thread of its own while the loop goes on; the coder is then the thread's, too.
class CodedBody final : public Reader {
 public:
  CodedBody(Exchange& x, std::unique_ptr<Reader> body, std::unique_ptr<Coder> coder, bool slow)
      : x_(x), state_(x.state<CompressModule>()), ahead_(x, std::move(body)), coder_(std::move(coder)), slow_(slow) {}

  ~CodedBody() override {
    if (key_) loop_state<CompressModule>(x_.loop).kept.end(*key_);
  }

  // The body is that of a file: when it has been coded it is kept under this key.
  void keep_as(const KeptBodies::Key& key) {
    key_ = key;
    loop_state<CompressModule>(x_.loop).kept.begin(key);
  }

  Task<Result<Piece>> read() override {
    Output out(kWorthSending);
    for (;;) {
      if (!ahead_.start() && held_) {
        Result<void> flushed = co_await code(Slice(), Then::pause, out);
        if (!flushed) co_return flushed.error();
        co_return Piece(out.take(), false);
      }
      Result<Piece> piece = co_await ahead_.take();
      if (!piece) co_return piece.error();
      const Then then = piece->last ? Then::end : piece->data.empty() ? Then::pause : Then::more;
      Result<void> coded = co_await code(std::move(piece->data), then, out);
      if (!coded) co_return coded.error();
      if (then == Then::end) end();
      if (then != Then::more || out.size() >= kWorthSending) co_return Piece(out.take(), then == Then::end);
    }
  }
  Headers trailers() override { return ahead_.trailers(); }

 private:
  Task<Result<void>> code(Slice bytes, Then then, Output& out) {
    const std::size_t before = out.size();
    state_.in += bytes.size();
    held_ = then == Then::more;
    if (slow_) {
      Result<std::optional<std::string>> coded = co_await code_beside(std::move(bytes), then);
      if (!coded) co_return coded.error();
      if (!*coded) co_return Errc::exhausted;
      out.append(**coded);
      if (key_) whole_ += **coded;
    } else if (!coder_->code(bytes.view(), then, out)) {
      co_return Errc::exhausted;
    }
    out_ += out.size() - before;
    co_return Result<void>();
  }

  // Memory of the loop's own pools stays on the loop: the thread hands over a copy. Nothing: no memory.
  Task<Result<std::optional<std::string>>> code_beside(Slice bytes, Then then) {
    auto work = [coder = coder_, bytes = std::move(bytes), then]() -> std::optional<std::string> {
      Output out(kWorthSending);
      if (!coder->code(bytes.view(), then, out)) return std::nullopt;
      return std::string(out.take().view());
    };
    Result<std::optional<std::string>> coded =
        co_await offload(loop_state<CompressModule>(x_.loop).slow, std::move(work), x_.last_deadline(Wait::handler));
    if (!coded && coded.error() == Errc::exhausted) x_.log(Level::error, "too many responses wait to be compressed");
    co_return coded;
  }

  void end() {
    state_.out = out_;
    coder_.reset();
    if (key_) loop_state<CompressModule>(x_.loop).kept.add(*key_, Slice::from(std::move(whole_)));
  }

  Exchange& x_;
  State& state_;
  ReadAhead ahead_;
  std::shared_ptr<Coder> coder_;
  const bool slow_;
  std::uint64_t out_ = 0;
  bool held_ = false;  // the coder has bytes that the client cannot see yet
  std::optional<KeptBodies::Key> key_;
  std::string whole_;
};

// All of a file, through the loop's scratch memory.
Result<void> code_file(Exchange& x, const FilePart& part, Coder& coder, Output& out) {
  const std::span<char> memory = x.loop.scratch();
  std::uint64_t done = 0;
  while (done < part.length) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(part.length - done, memory.size()));
    const ssize_t n = ::pread(part.file->fd.get(), memory.data(), wanted, static_cast<off_t>(part.offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error_code(errno);
    if (n == 0) return Errc::truncated;
    done += static_cast<std::uint64_t>(n);
    const Then then = done == part.length ? Then::end : Then::more;
    if (!coder.code({memory.data(), static_cast<std::size_t>(n)}, then, out)) return Errc::exhausted;
  }
  return {};
}

// The file whose content, whole and unchanged, is the body; null: it is something else.
File* whole_file_of(const Response& response) {
  auto* file = dynamic_cast<File*>(response.pinned.get());
  if (!file || !file->is_reliable() || !file->stamp().is_old()) return nullptr;
  const Body whole = file->body();
  if (const auto* slice = std::get_if<Slice>(&response.body)) {
    const auto* all = std::get_if<Slice>(&whole);
    return all && all->data() == slice->data() && all->size() == slice->size() ? file : nullptr;
  }
  const auto *part = std::get_if<FilePart>(&response.body), *all = std::get_if<FilePart>(&whole);
  return part && all && part->file == all->file && part->offset == 0 && part->length == all->length ? file : nullptr;
}

void take_coded(Exchange& x, Response& response, Slice coded, std::uint64_t length) {
  State& state = x.state<CompressModule>();
  state.in = length;
  state.out = coded.size();
  response.body = std::move(coded);
}

Result<void> code_at_once(Exchange& x, Response& response, Coder& coder, std::uint64_t length) {
  Output out(expected_of(length));
  Result<void> done;
  const auto* file = std::get_if<FilePart>(&response.body);
  const auto* slice = std::get_if<Slice>(&response.body);
  if (file && length > 0) done = code_file(x, *file, coder, out);
  else if (!coder.code(slice ? slice->view() : std::string_view(), Then::end, out)) done = Errc::exhausted;
  if (!done) return done;
  take_coded(x, response, out.take(), length);
  return {};
}

}  // namespace

Result<bool> code_body(Exchange& x, Response& response, const Coding& coding, const Conf& conf) {
  LoopState& loop = loop_state<CompressModule>(x.loop);
  const std::optional<std::uint64_t> length = length_of(response.body);
  const bool short_enough = !std::holds_alternative<std::unique_ptr<Reader>>(response.body) && *length <= kAtOnce;
  const bool slow = coding.is_slow(conf), at_once = short_enough && !slow;
  const File* file = short_enough ? whole_file_of(response) : nullptr;
  KeptBodies::Key key;
  if (file) {
    key.file = file->stamp();
    key.coding = &coding;
    key.conf = &conf;
    if (const Slice* kept = loop.kept.find(key)) {
      take_coded(x, response, *kept, *length);
      return true;
    }
    // A crowd that asks for a new file would otherwise have it made for each, one after the other.
    if (slow && loop.kept.is_under_way(key)) return false;
  }
  std::unique_ptr<Coder> coder = coding.make(loop, conf, length);
  if (!coder) return Errc::exhausted;
  if (!at_once) {
    auto coded = std::make_unique<CodedBody>(x, reader_of(std::move(response.body)), std::move(coder), slow);
    if (file) coded->keep_as(key);
    response.body = std::move(coded);
    return true;
  }
  if (Result<void> done = code_at_once(x, response, *coder, *length); !done) return done.error();
  if (file) loop.kept.add(key, std::get<Slice>(response.body));
  return true;
}

}  // namespace seawall::compress
