-- ngx.var and ngx.get_phase.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size

-- The numbers of the variables that were asked for, by name: names that scripts make of what a client has sent do not fill the memory.
local numbers, room, longest = {}, 1000, 64
local function find(key)
  if room == 0 or #key > longest then return S.seawall_lua_var_get(key, #key, out, size) end
  room = room - 1
  local number = S.seawall_lua_var_number(key, #key)
  numbers[key] = number
  return S.seawall_lua_var_at(number, out, size)
end

ngx.var = setmetatable({}, {
  __index = function(_, key)
    local kind = type(key)
    if kind == "number" then
      if key < 1 then return nil end  -- what a regex has matched as a whole is nobody's group
      key = tostring(key)
    elseif kind ~= "string" then
      error("bad variable name", 2)
    end
    local number, found = numbers[key]
    if number then found = S.seawall_lua_var_at(number, out, size) else found = find(key) end
    if found == 1 then return ffi.string(out[0], size[0]) end
    if found == -1 then error("API disabled in the current context", 2) end
  end,
  __newindex = function(_, key, value)
    if type(key) ~= "string" then error("bad variable name", 2) end
    local text, bytes = nil, 0
    if value ~= nil then
      text = type(value) == "string" and value or tostring(value)
      bytes = #text
    end
    local done = S.seawall_lua_var_set(key, #key, text, bytes)
    if done == 0 then return end
    if done == -1 then error("API disabled in the current context", 2) end
    if done == 1 then
      error("variable \"" .. key .. "\" not found for writing; maybe it is a built-in variable that is not changeable or you forgot to use \"set $" ..
        key .. " '';\" in the config file to define it first", 2)
    end
    error("variable \"" .. key .. "\" not changeable", 2)
  end,
})

local hooks = C.hooks
function ngx.get_phase()
  local hook = S.seawall_lua_hook()
  return hooks[hook]
end
