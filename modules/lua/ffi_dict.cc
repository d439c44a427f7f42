// ngx.shared in FFI functions. A dictionary is its Zone. One loop each; what they name is shared.
#include "api.h"
#include "dict.h"
#include "ffi.h"
#include "seawall/net/loop.h"

using namespace seawall;
using namespace seawall::lua;

namespace {

Dict dict_of(void* zone) { return Dict(*static_cast<const Zone*>(zone), Vm::now()->loop.now() / 1'000'000); }

DictValue value_of(int type, const char* text, std::size_t size, double number) {
  DictValue value;
  value.type = static_cast<DictValue::Type>(type);
  value.as_number = number;
  if (value.type == DictValue::string) value.text = {text, size};
  return value;
}

}  // namespace

// The type; its value in `out` or `number`. `stale`: in: an old one will do; out: it is one.
SEAWALL_LUA int seawall_lua_dict_get(void* zone, const char* key, std::size_t key_size, const char** out, std::size_t* size, double* number,
                                     unsigned* flags, int* stale) {
  Vm& vm = *Vm::now();
  std::uint32_t user_flags = 0;
  bool was_stale = false;
  const DictValue value = dict_of(zone).get({key, key_size}, vm.scratch, user_flags, *stale, was_stale);
  give(value.text, out, size);
  *number = value.as_number;
  *flags = user_flags;
  *stale = was_stale;
  return value.type;
}

SEAWALL_LUA int seawall_lua_dict_put(void* zone, const char* key, std::size_t key_size, int type, const char* text, std::size_t size,
                                     double number, double lives, unsigned flags, int how, int safe, int* forcible) {
  bool forced = false;
  Dict dict = dict_of(zone);
  DictResult result;
  if (type == DictValue::nil && how == 0) {
    result = dict.remove({key, key_size});
  } else {
    result = dict.put({key, key_size}, value_of(type, text, size, number), milliseconds(lives), flags,
                      static_cast<Dict::How>(how), safe, forced);
  }
  *forcible = forced;
  return static_cast<int>(result);
}

SEAWALL_LUA int seawall_lua_dict_incr(void* zone, const char* key, std::size_t key_size, double delta, int has_init, double init, double lives,
                                      double* result, int* forcible) {
  bool forced = false;
  const DictResult done = dict_of(zone).add_to({key, key_size}, delta, has_init ? &init : nullptr, milliseconds(lives), *result, forced);
  *forcible = forced;
  return static_cast<int>(done);
}

SEAWALL_LUA int seawall_lua_dict_push(void* zone, const char* key, std::size_t key_size, int type, const char* text, std::size_t size,
                                      double number, int left, double* length) {
  std::uint32_t count = 0;
  const DictResult done = dict_of(zone).push({key, key_size}, value_of(type, text, size, number), left, count);
  *length = count;
  return static_cast<int>(done);
}

SEAWALL_LUA int seawall_lua_dict_pop(void* zone, const char* key, std::size_t key_size, int left, int* type, const char** out, std::size_t* size,
                                     double* number) {
  DictValue value;
  const DictResult done = dict_of(zone).pop({key, key_size}, left, value, Vm::now()->scratch);
  *type = value.type;
  give(value.text, out, size);
  *number = value.as_number;
  return static_cast<int>(done);
}

SEAWALL_LUA int seawall_lua_dict_length(void* zone, const char* key, std::size_t key_size, double* length) {
  std::uint32_t count = 0;
  const DictResult done = dict_of(zone).length({key, key_size}, count);
  *length = count;
  return static_cast<int>(done);
}

// Seconds.
SEAWALL_LUA int seawall_lua_dict_ttl(void* zone, const char* key, std::size_t key_size, double* left) {
  std::int64_t milliseconds = 0;
  const DictResult done = dict_of(zone).time_left({key, key_size}, milliseconds);
  *left = static_cast<double>(milliseconds) / 1000;
  return static_cast<int>(done);
}
SEAWALL_LUA int seawall_lua_dict_expire(void* zone, const char* key, std::size_t key_size, double lives) {
  return static_cast<int>(dict_of(zone).set_life({key, key_size}, milliseconds(lives)));
}

SEAWALL_LUA void seawall_lua_dict_flush_all(void* zone) { dict_of(zone).expire_all(); }
SEAWALL_LUA int seawall_lua_dict_flush_expired(void* zone, int most) { return dict_of(zone).remove_expired(most); }
SEAWALL_LUA int seawall_lua_dict_keys(void* zone, int most, const char** out, std::size_t* size) {
  std::string& text = Vm::now()->scratch;
  text.clear();
  const int count = dict_of(zone).keys(most, text);
  give(text, out, size);
  return count;
}
SEAWALL_LUA double seawall_lua_dict_capacity(void* zone) { return static_cast<double>(dict_of(zone).capacity()); }
SEAWALL_LUA double seawall_lua_dict_free_space(void* zone) { return static_cast<double>(dict_of(zone).free_space()); }
