// The two fields by which a WebSocket of HTTP/1.1 proves that both ends mean one (RFC 6455 4); over HTTP/2 there are none, so that whoever
// carries one from here to there makes them up. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace seawall {

// A new Sec-WebSocket-Key.
std::string make_websocket_key();
// What Sec-WebSocket-Accept says of a key.
std::string websocket_accept(std::string_view key);

}  // namespace seawall
