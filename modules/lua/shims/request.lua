-- ngx.req but for its body, which is C++'s.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size
local req = ngx.req
local check = C.check_request

function req.get_method()
  check(3)
  S.seawall_lua_req_method(out, size)
  return ffi.string(out[0], size[0])
end

local methods = {
  [2] = "GET", [4] = "HEAD", [8] = "POST", [16] = "PUT", [32] = "DELETE", [64] = "MKCOL", [128] = "COPY", [256] = "MOVE", [512] = "OPTIONS",
  [1024] = "PROPFIND", [2048] = "PROPPATCH", [4096] = "LOCK", [8192] = "UNLOCK", [16384] = "PATCH", [32768] = "TRACE",
}
C.methods = methods
function req.set_method(method)
  if type(method) ~= "number" then error("bad method number", 2) end
  check(3)
  local name = methods[method]
  if not name then error("unsupported HTTP method: " .. method, 2) end
  S.seawall_lua_req_set_method(name, #name)
end

function req.get_uri_args(max)
  check(3)
  S.seawall_lua_req_args(out, size)
  local t, truncated = C.decode_args(ffi.string(out[0], size[0]), max or 100)
  if truncated then C.log_debug("lua hit query args limit " .. (max or 100)) end
  return t, truncated
end

function req.set_uri_args(args)
  check(3)
  local text
  if type(args) == "string" then
    text = C.safe_args(args)
  elseif type(args) == "number" then
    text = tostring(args)
  elseif type(args) == "table" then
    text = C.encode_args(args, 2)
  else
    error("bad argument #1 to 'set_uri_args' (string, number, or table expected, but got " .. type(args) .. ")", 2)
  end
  S.seawall_lua_req_set_args(text, #text)
end
function C.safe_args(args)
  return (args:gsub("[%z\1-\31\127]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local relocating = { rewrite = true, server_rewrite = true }
function req.set_uri(uri, jump, binary)
  check(3)
  if type(uri) ~= "string" then error("bad argument #1 to 'set_uri' (string expected)", 2) end
  if uri == "" then error("attempt to use zero-length uri", 2) end
  if not binary then
    local bad = uri:find("[%z\1-\31\127]")
    if bad then error(('unsafe byte "0x%02x" in uri "%s" (maybe you want to set the \'binary\' argument?)'):format(uri:byte(bad), uri:gsub("[%z\1-\31\127]",
      function(c) return ("\\x%02X"):format(c:byte()) end)), 2) end
  end
  if jump ~= nil and type(jump) ~= "boolean" then
    error("bad argument #2 to 'set_uri' (boolean expected, got " .. type(jump) .. ")", 2)
  end
  if jump and C.hooks[S.seawall_lua_hook()] ~= "rewrite" and C.hooks[S.seawall_lua_hook()] ~= "server_rewrite" then
    error("API disabled in the context of " .. C.hook_names[S.seawall_lua_hook()], 2)
  end
  S.seawall_lua_req_set_uri(uri, #uri)
  if jump then
    C.log_debug('lua set uri jump to "' .. uri .. '"')
    return C.relocate(uri)
  end
end

function req.get_headers(max, raw)
  check(3)
  local count = S.seawall_lua_req_header_count()
  max = max or 100
  if max > 0 and count > max then C.log_debug("lua exceeding request header limit " .. count .. " > " .. max) end
  return C.gather(count, S.seawall_lua_req_header_at, max, raw)
end

local function field_text(value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then error("bad argument #2 to 'set_header' (string, number or table expected)", 0) end
  return C.safe_value(tostring(value))
end

local function set(name, value, how)
  local text = field_text(value)
  S.seawall_lua_req_header_set(name, #name, text, #text, how)
end

local function set_all(name, value, how)
  name = C.safe_name(tostring(name))
  if value == nil or (type(value) == "table" and #value == 0 and how == 0) then
    S.seawall_lua_req_header_set(name, #name, nil, 0, 2)
  elseif type(value) == "table" then
    for i = 1, #value do set(name, value[i], i == 1 and how or 1) end
  else
    set(name, value, how)
  end
end

function req.set_header(name, value)
  check(3)
  if value == nil then set_all(name, nil, 2) else set_all(name, value, 0) end
end
function req.clear_header(name)
  check(3)
  set_all(name, nil, 2)
end
package.loaded["ngx.req"] = {
  add_header = function(name, value)
    check(3)
    if value == nil then error("invalid header value", 2) end
    set_all(name, value, 1)
  end,
}

function req.http_version()
  check(3)
  return S.seawall_lua_req_version()
end
function req.start_time()
  check(3)
  local start = ngx.now() - S.seawall_lua_req_age()
  return math.floor(start * 1000 + 0.5) / 1000
end
function req.is_internal()
  check(3)
  return S.seawall_lua_req_is_internal() == 1
end
function req.raw_header(without_line)
  check(3)
  S.seawall_lua_req_raw_header(without_line and 1 or 0, out, size)
  return ffi.string(out[0], size[0])
end

req.read_body = C.waiting(C.read_body)
req.discard_body = C.waiting(C.discard_body)
req.get_body_data = C.get_body_data
req.get_body_file = C.get_body_file
req.set_body_data = C.waiting(C.set_body_data)
req.set_body_file = C.waiting(C.set_body_file)

function req.get_post_args(max)
  check(3)
  if req.get_body_file() then return nil, "request body in temp file not supported" end
  local body = req.get_body_data()
  if not body then return {} end
  local t, truncated = C.decode_args(body, max or 100)
  if truncated then C.log_debug("lua hit query args limit " .. (max or 100)) end
  return t, truncated
end

-- A body that a script writes piece by piece, in place of the client's: kept by the request's ngx.ctx until it is whole.
local bodies = setmetatable({}, { __mode = "k" })
function req.init_body()
  check(3)
  bodies[C.get_ctx()] = {}
end
function req.append_body(text)
  check(3)
  local parts = bodies[C.get_ctx()]
  if not parts then error("request body not initialized", 2) end
  if type(text) ~= "string" and type(text) ~= "number" then error("bad argument #1 to 'append_body' (string expected, got " .. type(text) .. ")", 2) end
  parts[#parts + 1] = tostring(text)
end
function req.finish_body()
  check(3)
  local ctx = C.get_ctx()
  local parts = bodies[ctx]
  if not parts then error("request body not initialized", 2) end
  bodies[ctx] = nil
  return req.set_body_data(table.concat(parts))
end
