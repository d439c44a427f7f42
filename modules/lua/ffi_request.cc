// The request line and what scripts make of it. One loop.
#include <unistd.h>

#include "ffi.h"
#include "lua.h"
#include "seawall/base/text.h"
#include "seawall/config/variable.h"

using namespace seawall;
using namespace seawall::lua;

SEAWALL_LUA void seawall_lua_req_method(const char** out, std::size_t* size) {
  const Exchange& x = *request_now();
  give(x.request.method_name, out, size);
}

SEAWALL_LUA void seawall_lua_req_set_method(const char* name, std::size_t size) {
  Exchange& x = *request_now();
  x.request.method_name = x.request.headers.arena().copy({name, size});
  x.method = x.request.method = method_of(x.request.method_name);
}

SEAWALL_LUA void seawall_lua_req_args(const char** out, std::size_t* size) { give(request_now()->args, out, size); }
SEAWALL_LUA void seawall_lua_req_set_args(const char* args, std::size_t size) { request_now()->args.assign(args, size); }
SEAWALL_LUA void seawall_lua_req_set_uri(const char* uri, std::size_t size) {
  Exchange& x = *request_now();
  x.uri.assign(uri, size);
  x.internal = true;  // as behind an instruction of rewrite: an upstream is asked for this, not for what the client has sent
  x.uri_changed_here = true;
}

// 0.9, 1.0, 1.1 or 2.
SEAWALL_LUA double seawall_lua_req_version() {
  switch (request_now()->request.version) {
    case Version::http10: return 1.0;
    case Version::http11: return 1.1;
    case Version::http2: return 2.0;
  }
  return 0;
}

// Seconds since 1970 when the request began.
SEAWALL_LUA double seawall_lua_req_age() {
  const Exchange& x = *request_now();
  return static_cast<double>(x.loop.now() - x.main().started) / 1e9;
}

SEAWALL_LUA int seawall_lua_req_is_internal() { return request_now()->internal; }

// The head as it came: the request line and the fields.
SEAWALL_LUA void seawall_lua_req_raw_header(int without_line, const char** out, std::size_t* size) {
  const Exchange& x = request_now()->main();
  std::string& text = Vm::now()->scratch;
  text.clear();
  if (!without_line) text.append(x.request.request_line).append("\r\n");
  for (const Field& field : x.request.headers.all()) text.append(field.name).append(": ").append(field.value).append("\r\n");
  text += "\r\n";
  give(text, out, size);
}

SEAWALL_LUA int seawall_lua_process_id() { return static_cast<int>(::getpid()); }
SEAWALL_LUA int seawall_lua_thread_id() { return static_cast<int>(::gettid()); }
