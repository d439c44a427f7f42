-- Encodings and digests.
local C = ...
local ffi = require "ffi"
local S, out, size = C.S, C.out, C.size
local digest = C.buffer "unsigned char[20]"
local hex = "%02x"

local function text(value, name)
  if type(value) == "string" then return value end
  if type(value) == "nil" then return "" end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  error("bad argument #1 to '" .. name .. "' (string expected, got " .. type(value) .. ")", 3)
end

function ngx.escape_uri(value, kind)
  local s = text(value, "escape_uri")
  if kind ~= nil and kind ~= 0 and kind ~= 2 then error("\"type\" " .. tostring(kind) .. " out of range", 2) end
  S.seawall_lua_escape_uri(s, #s, kind or 2, out, size)
  return ffi.string(out[0], size[0])
end

local function unescape(s)
  S.seawall_lua_unescape_uri(s, #s, out, size)
  return ffi.string(out[0], size[0])
end
C.unescape = unescape
function ngx.unescape_uri(value) return unescape(text(value, "unescape_uri")) end

function ngx.encode_base64(value, no_padding)
  local s = text(value, "encode_base64")
  if no_padding ~= nil and type(no_padding) ~= "boolean" then
    error("bad argument #2 to 'encode_base64' (boolean expected, got " .. type(no_padding) .. ")", 2)
  end
  S.seawall_lua_encode_base64(s, #s, no_padding and 0 or 1, 0, out, size)
  return ffi.string(out[0], size[0])
end

function ngx.decode_base64(value)
  if type(value) ~= "string" then error("string argument only", 2) end
  if S.seawall_lua_decode_base64(value, #value, 0, out, size) == 0 then return nil end
  return ffi.string(out[0], size[0])
end

local base64 = {}
function base64.encode_base64url(value)
  if type(value) ~= "string" then return nil, "must provide a string" end
  S.seawall_lua_encode_base64(value, #value, 0, 1, out, size)
  return ffi.string(out[0], size[0])
end
function base64.decode_base64url(value)
  if type(value) ~= "string" then return nil, "must provide a string" end
  if S.seawall_lua_decode_base64(value, #value, 1, out, size) == 0 then return nil, "invalid input" end
  return ffi.string(out[0], size[0])
end
package.loaded["ngx.base64"] = base64

local function hexed(n)
  local parts = {}
  for i = 0, n - 1 do parts[i + 1] = hex:format(digest[i]) end
  return table.concat(parts)
end

function ngx.md5(value)
  local s = text(value, "md5")
  S.seawall_lua_md5(s, #s, digest)
  return hexed(16)
end
function ngx.md5_bin(value)
  local s = text(value, "md5_bin")
  S.seawall_lua_md5(s, #s, digest)
  return ffi.string(digest, 16)
end
function ngx.sha1_bin(value)
  local s = text(value, "sha1_bin")
  S.seawall_lua_sha1(s, #s, digest)
  return ffi.string(digest, 20)
end
function ngx.hmac_sha1(key, value)
  key, value = text(key, "hmac_sha1"), text(value, "hmac_sha1")
  S.seawall_lua_hmac_sha1(key, #key, value, #value, digest)
  return ffi.string(digest, 20)
end
function ngx.crc32_short(value)
  local s = text(value, "crc32_short")
  return tonumber(S.seawall_lua_crc32(s, #s))
end
ngx.crc32_long = ngx.crc32_short

local quoted = { ["\0"] = "\\0", ["\b"] = "\\b", ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r", ["\26"] = "\\Z", ["\\"] = "\\\\",
  ["'"] = "\\'", ['"'] = '\\"', ["$"] = "\\$" }
function ngx.quote_sql_str(value)
  return "'" .. text(value, "quote_sql_str"):gsub("[%z\b\t\n\r\26\\'\"$]", quoted) .. "'"
end

-- Arguments of a query, as a table and as text.
local function piece(key, value, parts)
  local kind = type(value)
  if kind == "table" then
    for i = 1, #value do piece(key, value[i], parts) end
  elseif value == true then
    parts[#parts + 1] = key
  elseif value ~= false and value ~= nil then
    if kind ~= "string" and kind ~= "number" then
      error("attempt to use " .. kind .. " as query arg value", 0)
    end
    parts[#parts + 1] = key .. "=" .. ngx.escape_uri(value)
  end
end

function C.encode_args(args, level)
  local parts = {}
  for key, value in pairs(args) do
    if type(key) ~= "string" then error("attempt to use a non-string key in the \"args\" option table", (level or 1) + 1) end
    local ok, why = pcall(piece, ngx.escape_uri(key), value, parts)
    if not ok then error(why, (level or 1) + 1) end
  end
  return table.concat(parts, "&")
end

function ngx.encode_args(args)
  if type(args) ~= "table" then error("bad argument #1 to 'encode_args' (table expected, got " .. type(args) .. ")", 2) end
  return C.encode_args(args, 2)
end

local function put(t, key, value)
  local known = t[key]
  if known == nil then t[key] = value
  elseif type(known) == "table" then known[#known + 1] = value
  else t[key] = { known, value } end
end

-- `max` 0: all. The second result: "truncated".
function C.decode_args(s, max)
  -- One without a name is none, and counts all the same.
  local t, count, at = {}, 0, 1
  while at <= #s do
    local stop = s:find("&", at, true)
    local part = s:sub(at, stop and stop - 1)
    local key, value = part:match("^([^=]*)=(.*)$")
    if key == nil and part ~= "" then put(t, unescape(part), true)
    elseif key and key ~= "" then put(t, unescape(key), unescape(value)) end
    if not stop then break end
    count = count + 1
    if count == max then return t, "truncated" end
    at = stop + 1
  end
  return t
end

function ngx.decode_args(s, max)
  if type(s) ~= "string" then error("bad argument #1 to 'decode_args' (string expected, got " .. (s == nil and "nil" or type(s)) .. ")", 2) end
  return C.decode_args(s, max or 100)
end
