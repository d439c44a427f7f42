#include "new_body.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "api.h"
#include "body_turn.h"
#include "lua.h"
#include "seawall/server/exchange.h"

namespace seawall::lua {

void lose_body(Exchange& x) {
  x.state<Lua>().body_lost = true;
  x.keep_alive = false;
}

Task<Result<void>> replace_body(Exchange& x, Body body, std::uint64_t size) {
  RequestState& state = x.state<Lua>();
  BodyTurn turn(state);
  const Errc begun = co_await turn.wait();
  if (begun != Errc::ok) co_return begun;
  if (!x.body.ended()) {
    const Result<void> gone = co_await x.body.discard(x);
    if (!gone && gone.error() == Errc::cancelled) lose_body(x);
    if (!gone) co_return gone;
  }
  state.body_lost = false;
  std::destroy_at(&x.body);
  std::construct_at(&x.body);
  state.new_body = std::make_unique<NewBody>(std::move(body), size);
  x.body.attach(state.new_body.get(), size);
  x.request.chunked = false;
  x.request.content_length = size;
  x.request.headers.remove(FieldId::transfer_encoding);
  x.request.headers.set("Content-Length", std::to_string(size));
  const Result<void> stored = co_await x.body.store(x);
  if (!stored && stored.error() == Errc::cancelled) lose_body(x);
  co_return stored;
}

Task<void> NewBodyAwait::run() {
  Body body;
  std::uint64_t size = 0;
  if (auto* bytes = std::get_if<Slice>(&what_)) {
    size = bytes->size();
    body = *bytes;
  } else {
    const std::string& path = std::get<std::string>(what_);
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) < 0) {
      error_ = "open() \"" + path + "\" failed " + describe(system_error_code(errno));
      co_return;
    }
    size = static_cast<std::uint64_t>(status.st_size);
    auto shared = std::make_shared<OpenFile>(std::move(file));
    body = FilePart(std::move(shared), 0, size);
  }
  const Result<void> done = co_await replace_body(x_, std::move(body), size);
  if (!done) error_ = describe(done.error());
}

int NewBodyAwait::push(lua_State* L) {
  if (error_.empty()) return 0;
  return raise(L, 2, "%s", error_.c_str());
}

}  // namespace seawall::lua
