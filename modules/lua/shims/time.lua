-- The clock: as of this turn of the loop, as nginx has it.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size

function ngx.now() return S.seawall_lua_now() end
function ngx.time() return math.floor(S.seawall_lua_now()) end
function ngx.update_time() S.seawall_lua_update_time() end
function ngx.today() return os.date("%Y-%m-%d", ngx.time()) end
function ngx.localtime() return os.date("%Y-%m-%d %H:%M:%S", ngx.time()) end
function ngx.utctime() return os.date("!%Y-%m-%d %H:%M:%S", ngx.time()) end

local function number(seconds)
  if type(seconds) ~= "number" then error("number argument only", 3) end
  return seconds
end
function ngx.http_time(seconds)
  S.seawall_lua_http_time(number(seconds), out, size)
  return ffi.string(out[0], size[0])
end
function ngx.cookie_time(seconds)
  local text = ngx.http_time(number(seconds))
  -- Netscape's form, which cookies have kept: a year of two digits, as nginx writes it, as long as they say enough.
  local day, rest = text:match("^(%a+, %d+) (.*)$")
  local month, year, tail = rest:match("^(%a+) (%d+) (.*)$")
  return day .. "-" .. month .. "-" .. (seconds > 2147483647 and year or year:sub(3)) .. " " .. tail
end
function ngx.parse_http_time(text)
  if type(text) ~= "string" then error("string argument only", 2) end
  local seconds = S.seawall_lua_parse_http_time(text, #text)
  if seconds < 0 then return nil end
  return seconds
end
