// ngx.header, ngx.status and the fields of the request. One loop.
#include <algorithm>

#include "ffi.h"
#include "lua.h"
#include "script_body.h"
#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/server/content_type.h"

using namespace seawall;
using namespace seawall::lua;

namespace {

// Where the fields of the response are now: in the head that will be sent, or gathered until there is one.
Headers& response_fields(Exchange& x) {
  Call& call = *Vm::now()->call;
  if (call.response) return call.response->headers;
  if (x.response) return const_cast<Response*>(x.response)->headers;
  return x.state<Lua>().headers;
}

bool is_sent(Exchange& x) {
  const Call& call = *Vm::now()->call;
  if (call.hook == Hook::header_filter) return false;
  return x.state<Lua>().sent || (call.script && call.script->begun) || x.status != 0 || call.hook == Hook::log;
}

void give_field(const Headers& fields, int index, const char** name, std::size_t* name_size, const char** value, std::size_t* value_size) {
  const auto at = static_cast<std::size_t>(index);
  const Field field = at < fields.all().size() ? fields.all()[at] : Field({}, {}, FieldId::other);
  give(field.name, name, name_size);
  give(field.value, value, value_size);
}

std::optional<std::uint64_t> body_length(Exchange& x) {
  const Call& call = *Vm::now()->call;
  if (call.response) return length_of(call.response->body);
  return x.sent_content_length;
}

}  // namespace

SEAWALL_LUA int seawall_lua_headers_sent() {
  Exchange* const x = request_now();
  return x ? is_sent(*x) : -1;
}

SEAWALL_LUA int seawall_lua_status_get() {
  Exchange* const x = request_now();
  if (!x) return -1;
  const Call& call = *Vm::now()->call;
  if (call.response) return call.response->status;
  if (x->status) return x->status;
  const RequestState& state = x->state<Lua>();
  if (state.status) return state.status;
  return is_sent(*x) ? 200 : 0;
}

// 1: done; 0: the head is out; -1: no request; -2: no status.
SEAWALL_LUA int seawall_lua_status_set(int status) {
  Exchange* const x = request_now();
  if (!x) return -1;
  if (is_sent(*x)) return 0;
  if (!is_status(status)) return -2;
  Call& call = *Vm::now()->call;
  if (call.response) call.response->status = status;
  else x->state<Lua>().status = status;
  return 1;
}

// The value of the `index`th field of that name; 0: there is none.
SEAWALL_LUA int seawall_lua_header_get(const char* name, std::size_t size, int index, const char** out, std::size_t* out_size) {
  Exchange& x = *request_now();
  const std::string_view wanted(name, size);
  for (const Field& field : response_fields(x).all())
    if (equals_ignoring_case(field.name, wanted) && index-- == 0) return give(field.value, out, out_size), 1;
  if (index != 0) return 0;
  Vm& vm = *Vm::now();
  const FieldId id = field_id(wanted);
  if (id == FieldId::content_length) {
    const auto length = body_length(x);
    if (!length) return 0;
    vm.scratch = std::to_string(*length);
    return give(vm.scratch, out, out_size), 1;
  }
  if (id == FieldId::last_modified && vm.call->response && vm.call->response->last_modified) {
    vm.scratch = http_date(*vm.call->response->last_modified);
    return give(vm.scratch, out, out_size), 1;
  }
  if (id == FieldId::content_type && !vm.call->response && !x.response && !x.state<Lua>().headers_cleared_type && vm.call->script &&
      vm.call->script->begun)
    return give(content_type_of(x), out, out_size), 1;
  return 0;
}

// how: 0 replaces, 1 adds, 2 removes (no value). 1: done; 0: the head is out.
SEAWALL_LUA int seawall_lua_header_set(const char* name, std::size_t size, const char* value, std::size_t value_size, int how) {
  Exchange& x = *request_now();
  if (is_sent(x)) return 0;
  Headers& fields = response_fields(x);
  const std::string_view wanted(name, size), text(value, value_size);
  const FieldId id = field_id(wanted);
  Call& call = *Vm::now()->call;
  // The server frames the message: two framings in one head would be read by each recipient in its own way.
  if (id == FieldId::transfer_encoding || id == FieldId::keep_alive) return 1;
  if (id == FieldId::connection) {
    if (how != 2 && equals_ignoring_case(text, "close")) x.keep_alive = false;
    return 1;
  }
  if (id == FieldId::content_type && !call.response) x.state<Lua>().headers_cleared_type = how == 2;
  if (id == FieldId::content_length && call.response) {
    if (how == 2 && !std::holds_alternative<std::monostate>(call.response->body)) make_length_unknown(*call.response);
    return 1;
  }
  if (how == 2) fields.remove(wanted);
  else if (how == 1) fields.add(wanted, text);
  else fields.set(wanted, text);
  if (id == FieldId::last_modified && call.response) call.response->last_modified.reset();
  return 1;
}

SEAWALL_LUA int seawall_lua_header_count() { return static_cast<int>(response_fields(*request_now()).all().size()); }
SEAWALL_LUA void seawall_lua_header_at(int index, const char** name, std::size_t* name_size, const char** value, std::size_t* value_size) {
  give_field(response_fields(*request_now()), index, name, name_size, value, value_size);
}

SEAWALL_LUA int seawall_lua_req_header_count() {
  Exchange* const x = request_now();
  return x ? static_cast<int>(x->request.headers.all().size()) : -1;
}
SEAWALL_LUA void seawall_lua_req_header_at(int index, const char** name, std::size_t* name_size, const char** value, std::size_t* value_size) {
  give_field(request_now()->request.headers, index, name, name_size, value, value_size);
}

SEAWALL_LUA void seawall_lua_req_header_set(const char* name, std::size_t size, const char* value, std::size_t value_size, int how) {
  RequestHead& head = request_now()->request;
  const std::string_view wanted(name, size), text(value, value_size);
  const FieldId id = field_id(wanted);
  if (how == 2) head.headers.remove(wanted);
  else if (how == 1) head.headers.add(wanted, text);
  else head.headers.set(wanted, text);
  if (id != FieldId::host) return;
  head.authority = head.headers.get(FieldId::host);
  const std::string_view host = head.authority;
  const auto end = host.starts_with('[') ? host.find(']') : host.rfind(':');
  head.host = head.headers.arena().copy(lower(end != std::string_view::npos && host[end] == ']' ? host.substr(0, end + 1) : host.substr(0, end)));
}

// What the writer will say of the connection, where the head is being made or is out: 1 that it closes, 2 that it stays, +4 that the
// body is in chunks; 0: nobody knows yet.
SEAWALL_LUA int seawall_lua_header_framing() {
  Exchange& x = *request_now();
  const Call& call = *Vm::now()->call;
  if (!call.response && !x.response && !(call.script && call.script->begun)) return 0;
  const int connection = x.keep_alive ? 2 : 1;
  const bool may_chunk = x.request.version == Version::http11 && !body_length(x);
  return connection + (call.response && may_chunk ? 4 : x.chunked_response ? 4 : 0);
}

// lua_transform_underscores_in_response_headers
SEAWALL_LUA int seawall_lua_transforms_underscores() { return *request_now()->conf<Lua>().transform_underscores; }
