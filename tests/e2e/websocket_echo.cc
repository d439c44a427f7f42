#include "e2e/websocket_echo.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "catch.h"
#include "e2e/folder.h"

namespace test {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
// The socket listens already, as descriptor 3.
constexpr const char* kScript = R"(
import asyncio, socket, websockets
async def echo(client, path=None):
    async for message in client: await client.send(message)
async def main():
    async with websockets.serve(echo, sock=socket.socket(fileno=3), compression=None): await asyncio.Future()
asyncio.run(main())
)";

}  // namespace

std::unique_ptr<WebSocketEcho> WebSocketEcho::start() {
  if (std::system((std::string(kPython) + " -c 'import websockets' 2>/dev/null").c_str()) != 0) {
    WARN("no Python package websockets: skipped");
    return nullptr;
  }
  return std::unique_ptr<WebSocketEcho>(new WebSocketEcho);
}

WebSocketEcho::WebSocketEcho() : port_(free_port()) {
  const seawall::Fd door = listen_on(port_);
  REQUIRE(door);
  pid_ = ::fork();
  if (pid_ != 0) return;
  if (door.get() == 3) ::fcntl(3, F_SETFD, 0);
  else ::dup2(door.get(), 3);
  ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), 2);  // it complains of clients that leave
  ::execl(kPython, kPython, "-c", kScript, static_cast<char*>(nullptr));
  ::_exit(127);
}

WebSocketEcho::~WebSocketEcho() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string websocket_accept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH], encoded[32];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  const int size = EVP_EncodeBlock(encoded, digest, sizeof digest);
  return std::string(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(size));
}

}  // namespace test
