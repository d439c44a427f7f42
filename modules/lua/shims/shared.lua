-- ngx.shared.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size

ffi.cdef [[
int seawall_lua_dict_get(void *zone, const char *key, size_t key_size, const char **out, size_t *size, double *number, unsigned *flags, int *stale);
int seawall_lua_dict_put(void *zone, const char *key, size_t key_size, int type, const char *text, size_t size, double number, double lives,
                         unsigned flags, int how, int safe, int *forcible);
int seawall_lua_dict_incr(void *zone, const char *key, size_t key_size, double delta, int has_init, double init, double lives, double *result,
                          int *forcible);
int seawall_lua_dict_push(void *zone, const char *key, size_t key_size, int type, const char *text, size_t size, double number, int left,
                          double *length);
int seawall_lua_dict_pop(void *zone, const char *key, size_t key_size, int left, int *type, const char **out, size_t *size, double *number);
int seawall_lua_dict_length(void *zone, const char *key, size_t key_size, double *length);
int seawall_lua_dict_ttl(void *zone, const char *key, size_t key_size, double *left);
int seawall_lua_dict_expire(void *zone, const char *key, size_t key_size, double lives);
void seawall_lua_dict_flush_all(void *zone);
int seawall_lua_dict_flush_expired(void *zone, int most);
int seawall_lua_dict_keys(void *zone, int most, const char **out, size_t *size);
double seawall_lua_dict_capacity(void *zone);
double seawall_lua_dict_free_space(void *zone);
]]

local number, flags, flag, kind = C.buffer "double[1]", C.buffer "unsigned[1]", C.buffer "int[1]", C.buffer "int[1]"
local errors = { "exists", "not found", "no memory", "not a number", "value not a list" }

local function zone_of(dict)
  if type(dict) ~= "table" then error("bad \"zone\" argument", 3) end
  local zone = dict[1]
  if type(zone) ~= "cdata" then error("bad \"zone\" argument", 3) end
  return zone
end

local function key_of(key)
  if key == nil then return nil, "nil key" end
  if type(key) ~= "string" then key = tostring(key) end
  if #key == 0 then return nil, "empty key" end
  if #key > 65535 then return nil, "key too long" end
  return key
end

local function value_of(value)
  local t = type(value)
  if t == "nil" then return 0, nil, 0, 0 end
  if t == "boolean" then return 1, nil, 0, value and 1 or 0 end
  if t == "number" then return 3, nil, 0, value end
  if t == "string" then return 4, value, #value, 0 end
end

local function result_of(type_, n)
  if type_ == 0 then return nil end
  if type_ == 1 then return n ~= 0 end
  if type_ == 3 then return n end
  return ffi.string(out[0], size[0])
end

local function get(dict, key, stale)
  local zone = zone_of(dict)
  local k, why = key_of(key)
  if not k then return nil, why end
  flag[0] = stale and 1 or 0
  local t = S.seawall_lua_dict_get(zone, k, #k, out, size, number, flags, flag)
  if t == 0 then return nil end
  if t == 5 then return nil, "value is a list" end
  local value = result_of(t, number[0])
  local user = flags[0] ~= 0 and tonumber(flags[0]) or nil
  if stale then return value, user, flag[0] ~= 0 end
  if user then return value, user end
  return value
end

local function put(dict, key, value, lives, user_flags, how, safe)
  local zone = zone_of(dict)
  local k, why = key_of(key)
  if not k then return nil, why end
  local t, text, bytes, n = value_of(value)
  if not t then return nil, "bad value type" end
  if t == 0 and how ~= 0 then return nil, "attempt to add or replace nil values" end
  if lives and lives < 0 then error("bad \"exptime\" argument", 3) end
  local done = S.seawall_lua_dict_put(zone, k, #k, t, text, bytes, n, lives or 0, user_flags or 0, how, safe and 1 or 0, flag)
  local forcible = flag[0] ~= 0
  if done == 0 then
    if safe then return true, nil, forcible end
    return true, nil, forcible
  end
  if done == 3 and safe then return nil, "no memory" end
  return false, errors[done], forcible
end

local dict = {}
dict.__index = dict
function dict:get(key) return get(self, key, false) end
function dict:get_stale(key) return get(self, key, true) end
function dict:set(key, value, lives, f) return put(self, key, value, lives, f, 0, false) end
function dict:safe_set(key, value, lives, f) return put(self, key, value, lives, f, 0, true) end
function dict:add(key, value, lives, f) return put(self, key, value, lives, f, 1, false) end
function dict:safe_add(key, value, lives, f) return put(self, key, value, lives, f, 1, true) end
function dict:replace(key, value, lives, f) return put(self, key, value, lives, f, 2, false) end
function dict:delete(key) return put(self, key, nil, 0, 0, 0, false) end

function dict:incr(key, value, init, lives)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  local by = tonumber(value)
  if not by then error("value argument is not a number: " .. tostring(value), 2) end
  local first
  if init ~= nil then
    first = tonumber(init)
    if not first then error("bad init arg: number expected, got " .. type(init), 2) end
  end
  if lives ~= nil then
    if type(lives) ~= "number" then lives = tonumber(lives) end
    if not lives or lives < 0 then error("bad \"init_ttl\" argument", 2) end
    if not first then error("must provide \"init\" when providing \"init_ttl\"", 2) end
  end
  local done = S.seawall_lua_dict_incr(zone, k, #k, by, first and 1 or 0, first or 0, lives or 0, number, flag)
  if done ~= 0 then return nil, errors[done] end
  if first then return number[0], nil, flag[0] ~= 0 end
  return number[0]
end

local function push(self, key, value, left)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  local t, text, bytes, n = value_of(value)
  if t ~= 3 and t ~= 4 then return nil, "bad value type" end
  local done = S.seawall_lua_dict_push(zone, k, #k, t, text, bytes, n, left, number)
  if done ~= 0 then return nil, errors[done] end
  return number[0]
end
function dict:lpush(key, value) return push(self, key, value, 1) end
function dict:rpush(key, value) return push(self, key, value, 0) end

local function pop(self, key, left)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  local done = S.seawall_lua_dict_pop(zone, k, #k, left, kind, out, size, number)
  if done == 2 then return nil end
  if done ~= 0 then return nil, errors[done] end
  return result_of(kind[0], number[0])
end
function dict:lpop(key) return pop(self, key, 1) end
function dict:rpop(key) return pop(self, key, 0) end

function dict:llen(key)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  local done = S.seawall_lua_dict_length(zone, k, #k, number)
  if done ~= 0 then return nil, errors[done] end
  return number[0]
end

function dict:ttl(key)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  if S.seawall_lua_dict_ttl(zone, k, #k, number) ~= 0 then return nil, "not found" end
  return number[0]
end

function dict:expire(key, lives)
  local zone = zone_of(self)
  local k, why = key_of(key)
  if not k then return nil, why end
  if not lives then error("bad \"exptime\" argument", 2) end
  lives = tonumber(lives)
  if not lives or lives < 0 then error("bad \"exptime\" argument", 2) end
  if S.seawall_lua_dict_expire(zone, k, #k, lives) ~= 0 then return nil, "not found" end
  return true
end

function dict:flush_all() S.seawall_lua_dict_flush_all(zone_of(self)) end
function dict:flush_expired(most) return S.seawall_lua_dict_flush_expired(zone_of(self), most or 0) end

function dict:get_keys(most)
  local count = S.seawall_lua_dict_keys(zone_of(self), most or 1024, out, size)
  local packed = ffi.string(out[0], size[0])  -- ours: what lies in C++ is gone with the next call
  local all, at = {}, 1
  for i = 1, count do
    local a, b, c, d = packed:byte(at, at + 3)
    local bytes = a + b * 0x100 + c * 0x10000 + d * 0x1000000
    all[i] = packed:sub(at + 4, at + 3 + bytes)
    at = at + 4 + bytes
  end
  return all
end

function dict:capacity() return S.seawall_lua_dict_capacity(zone_of(self)) end
function dict:free_space() return S.seawall_lua_dict_free_space(zone_of(self)) end

for name, zone in pairs(C.dicts) do
  ngx.shared[name] = setmetatable({ ffi.cast("void *", zone) }, dict)
end
