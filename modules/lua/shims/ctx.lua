-- ngx.ctx: a table for each request (and each subrequest).
local C = ...
local S = C.S
local tables = C.ctx_tables

local function get()
  local number = S.seawall_lua_ctx()
  if number > 0 then return tables[number] end
  if number == 0 then return C.timer_ctx() end
  local t = {}
  tables[-number] = t
  return t
end

-- Outside of a request each light thread has its own.
local loose = setmetatable({}, { __mode = "k" })
function C.timer_ctx()
  local co = coroutine.running()
  if not co then error("no request ctx found", 3) end
  local t = loose[co]
  if not t then
    t = {}
    loose[co] = t
  end
  return t
end

C.fields.ctx = {
  get = get,
  set = function(value)
    if type(value) ~= "table" then error("ctx should be a table while getting a " .. type(value), 3) end
    local number = S.seawall_lua_ctx()
    if number == 0 then error("no request ctx found", 3) end
    tables[math.abs(number)] = value
  end,
}
C.get_ctx = get
