-- resty.core: what it would add is here already; its modules are found without a look at the disk.
local C = ...
local ffi = require "ffi"

local function clear(t)
  for key in pairs(t) do t[key] = nil end
end
local ok, made = pcall(require, "table.new")
local new_table = ok and made or function() return {} end
local cleared
ok, cleared = pcall(require, "table.clear")
local clear_table = ok and cleared or clear
package.loaded["table.new"], package.loaded["table.clear"] = new_table, clear_table

local function provide(name, f)
  local has, known = pcall(require, "table." .. name)
  if has then return known end
  package.loaded["table." .. name] = f
  table[name] = table[name] or f
end
provide("isempty", function(t) return next(t) == nil end)
provide("nkeys", function(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end)
provide("isarray", function(t)
  local n = 0
  for key in pairs(t) do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then return false end
    n = n + 1
  end
  return n == #t
end)
provide("clone", function(t)
  local copy = {}
  for key, value in pairs(t) do copy[key] = value end
  return copy
end)

local buffer, buffer_size = ffi.new("char[4096]"), 4096
local base = {
  version = "0.1.25",
  new_tab = new_table, clear_tab = clear_table,
  FFI_OK = 0, FFI_NO_REQ_CTX = -100, FFI_BAD_CONTEXT = -101, FFI_ERROR = -1, FFI_AGAIN = -2, FFI_BUSY = -3, FFI_DONE = -4, FFI_DECLINED = -5,
  get_string_buf = function(size, must_alloc)
    if size > buffer_size or must_alloc then return ffi.new("char[?]", size) end
    return buffer
  end,
  get_size_ptr = function() return C.size end,
  get_string_buf_size = function() return buffer_size end,
  set_string_buf_size = function() end,
  get_errmsg_ptr = function() return ffi.new("char *[1]") end,
  get_request = function() return C.S.seawall_lua_has_request() == 1 and true or nil end,
  allows_subsystem = function() end,
  ref_in_table = function(t, key)
    if key == nil then return -1 end
    t[#t + 1] = key
    return #t
  end,
}
package.loaded["resty.core"] = { version = base.version }
package.loaded["resty.core.base"] = base
for _, name in ipairs { "base64", "coroutine", "exit", "hash", "misc", "ndk", "param", "phase", "regex", "request", "response", "shdict", "socket",
  "time", "uri", "utils", "var", "worker" } do
  package.loaded["resty.core." .. name] = { version = base.version }
end
package.loaded["resty.core.ctx"] = { get_ctx_table = C.get_ctx, _VERSION = base.version, version = base.version }
package.loaded["ngx.errlog"] = {
  raw_log = C.raw_log,
  get_sys_filter_level = function() return ngx.ERR end,
  set_filter_level = function() return nil, "ngx.errlog.set_filter_level is not supported yet" end,
  get_logs = function() return nil, "ngx.errlog.get_logs is not supported yet" end,
}
package.loaded["ngx.process"] = {
  type = function() return "worker" end,
  get_master_pid = function() return C.S.seawall_lua_process_id() end,
  enable_privileged_agent = function() return nil, "the privileged agent is not supported" end,
}
