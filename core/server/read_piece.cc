#include "seawall/server/read_piece.h"

#include <exception>

#include "seawall/server/loop_server.h"
#include "seawall/server/under_deadline.h"

namespace seawall {

Task<Result<Piece>> read_piece(LoopServer& server, Exchange& x, Reader& reader, Scope*& working) {
  Scope& outer = co_await current_scope();
  Scope reading(&outer);
  UnderDeadline read(x, reading, reader.read());
  Result<Piece> piece = Errc::truncated;
  working = &reading;
  try {
    piece = co_await read;
  } catch (const std::exception& e) {
    x.log(Level::error, std::string("a module threw an exception while producing the response: ") + e.what());
  } catch (...) {
    x.log(Level::error, "a module threw an unknown exception while producing the response");
  }
  working = nullptr;
  if (x.handler_timed_out) {
    server.count_timeout(Wait::handler);
    x.log(Level::error, "handler timed out while producing the response");
    co_return Errc::truncated;
  }
  if (x.client_left) co_return Errc::peer_closed;
  co_return piece;
}

}  // namespace seawall
