-- ngx.header, ngx.status, ngx.headers_sent, ngx.resp.
local C = ...
local ffi = require "ffi"
local S, out, size, out2, size2 = C.S, C.out, C.size, C.out2, C.size2

local function field_name(key)
  if type(key) ~= "string" then key = tostring(key) end
  if not key:find("_", 1, true) or S.seawall_lua_transforms_underscores() == 0 then return key end
  return (key:gsub("_", "-"))
end

local function value_text(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" or kind == "boolean" then return tostring(value) end
  error("invalid header value type: " .. kind, 0)
end

-- A line end in a field would begin another one.
local unsafe = { ["\0"] = "%00", ["\r"] = "%0D", ["\n"] = "%0A" }
local function safe(text) return (text:gsub("[%z\r\n]", unsafe)) end
local function safe_name(text)
  return (text:gsub('[%z\1-\32"(),/:;<=>?@%[\\%]{}\127-\255]', function(c) return ("%%%02X"):format(c:byte()) end))
end
C.safe_value, C.safe_name = safe, safe_name

local function check_header(level)
  local hook = C.check_request(level + 2)
  return hook
end

local function warn_sent(name)
  C.raw_log(ngx.ERR, "attempt to set ngx." .. name .. " after sending out response headers")
end

ngx.header = setmetatable({}, {
  __index = function(_, key)
    check_header(2)
    local name = field_name(key)
    if S.seawall_lua_header_get(name, #name, 0, out, size) == 0 then return nil end
    local first = ffi.string(out[0], size[0])
    if S.seawall_lua_header_get(name, #name, 1, out, size) == 0 then
      return first
    end
    local all, i = { first }, 1
    while S.seawall_lua_header_get(name, #name, i, out, size) == 1 do
      i = i + 1
      all[i] = ffi.string(out[0], size[0])
    end
    return all
  end,
  __newindex = function(_, key, value)
    check_header(2)
    local name = safe_name(field_name(key))
    if name == "" then return end
    if S.seawall_lua_headers_sent() == 1 then return warn_sent("header.HEADER") end
    if value ~= nil and name:lower() == "content-length" then
      local text = tostring(type(value) == "table" and value[#value] or value)
      if not text:find("^%d+$") then error("failed to set header content_length (error: invalid length)", 2) end
    end
    if value == nil or (type(value) == "table" and #value == 0) then
      S.seawall_lua_header_set(name, #name, nil, 0, 2)
    elseif type(value) == "table" then
      local single = name:lower() == "content-type" or name:lower() == "content-length"
      for i = single and #value or 1, #value do
        local text = safe(value_text(value[i]))
        S.seawall_lua_header_set(name, #name, text, #text, i == (single and #value or 1) and 0 or 1)
      end
    else
      local text = safe(value_text(value))
      S.seawall_lua_header_set(name, #name, text, #text, 0)
    end
  end,
})

C.fields.status = {
  get = function()
    local status = S.seawall_lua_status_get()
    if status < 0 then error("API disabled in the current context", 2) end
    return status
  end,
  set = function(value)
    value = tonumber(value)
    if not value then error("bad argument #3 to 'status' (number expected)", 2) end
    local done = S.seawall_lua_status_set(value == value and value > -1e6 and value < 1e6 and value or -1)
    if done == -2 then error("invalid status " .. value, 2) end
    if done < 0 then error("API disabled in the current context", 2) end
    if done == 0 then C.raw_log(ngx.ERR, "attempt to set ngx.status after sending out response headers") end
  end,
}
C.fields.headers_sent = {
  get = function()
    local sent = S.seawall_lua_headers_sent()
    if sent < 0 then error("API disabled in the current context", 2) end
    return sent == 1
  end,
}
C.fields.is_subrequest = {
  get = function()
    local sub = S.seawall_lua_is_subrequest()
    if sub < 0 then error("API disabled in the current context", 2) end
    return sub == 1
  end,
}

-- Tables of fields: names in lower case unless `raw`, found with underscores for dashes, too.
local by_any_name = {
  __index = function(t, key)
    if type(key) ~= "string" then return nil end
    return rawget(t, (key:gsub("_", "-"):lower()))
  end,
}

local function put(t, key, value)
  local known = t[key]
  if known == nil then t[key] = value
  elseif type(known) == "table" then known[#known + 1] = value
  else t[key] = { known, value } end
end

local function gather(count, at, max, raw)
  local t, truncated = {}, nil
  if max > 0 and count > max then
    truncated, count = "truncated", max
  end
  for i = 0, count - 1 do
    at(i, out, size, out2, size2)
    local name = ffi.string(out[0], size[0])
    put(t, raw and name or name:lower(), ffi.string(out2[0], size2[0]))
  end
  if not raw then setmetatable(t, by_any_name) end
  return t, truncated
end
C.gather = gather

function ngx.resp.get_headers(max, raw)
  check_header(2)
  max = max or 100
  local count = S.seawall_lua_header_count()
  local framing = S.seawall_lua_header_framing()
  local more = {}
  if framing ~= 0 then
    more[#more + 1] = { "Connection", framing % 4 == 1 and "close" or "keep-alive" }
    local length = ngx.header["Content-Length"]
    if length then more[#more + 1] = { "Content-Length", length }
    elseif framing >= 4 then more[#more + 1] = { "Transfer-Encoding", "chunked" } end
  end
  local t, truncated = gather(count, S.seawall_lua_header_at, max, raw)
  for i = 1, #more do
    local name = raw and more[i][1] or more[i][1]:lower()
    if not rawget(t, name) then
      count = count + 1
      if max > 0 and count > max then truncated = "truncated" else t[name] = more[i][2] end
    end
  end
  if truncated then C.log_debug("lua exceeding response header limit " .. count .. " > " .. max) end
  return t, truncated
end

local function add(name, value)
  local text = safe(value_text(value))
  S.seawall_lua_header_set(name, #name, text, #text, 1)
end
local resp = {}
function resp.add_header(key, value)
  check_header(2)
  if value == nil then error("invalid header value", 2) end
  if S.seawall_lua_headers_sent() == 1 then return warn_sent("header.HEADER") end
  local name = safe_name(field_name(key))
  if type(value) ~= "table" then return add(name, value) end
  for i = 1, #value do add(name, value[i]) end
end
package.loaded["ngx.resp"] = resp
