-- ngx.location.
local C = ...
local capture = C.waiting(C.capture)

local function one(uri, options, level)
  if type(uri) ~= "string" then error("bad argument #1 to 'capture' (string expected, got " .. type(uri) .. ")", level) end
  if uri:sub(1, 1) == "@" then error("invalid location \"" .. uri .. "\"", level) end
  local t = {}
  if options ~= nil then
    if type(options) ~= "table" then error("the second argument to capture must be a table", level) end
    local args = options.args
    if type(args) == "table" then args = C.encode_args(args, level)
    elseif args ~= nil and type(args) ~= "string" then error("Bad args option value", level) end
    if options.method ~= nil and type(options.method) ~= "number" then error("Bad http request method", level) end
    local body = options.body
    if body ~= nil and type(body) ~= "string" and type(body) ~= "number" then error("Bad http request body", level) end
    if options.vars ~= nil and type(options.vars) ~= "table" then error("Bad vars option value", level) end
    if options.ctx ~= nil and type(options.ctx) ~= "table" then error("Bad ctx option value type " .. type(options.ctx) .. ", expected a Lua table", level) end
    local name = C.methods[options.method or 2]
    if not name then error("unsupported HTTP method: " .. options.method, level) end
    t.args, t.method_name, t.body, t.vars = args, name, body, options.vars
    t.always_forward_body, t.copy_all_vars, t.share_all_vars, t.ctx =
      options.always_forward_body, options.copy_all_vars, options.share_all_vars, options.ctx
  end
  local path, query = uri:match("^([^?]*)%?(.*)$")
  t.uri = path or uri
  if query then t.args = t.args and t.args ~= "" and (query .. "&" .. t.args) or query end
  t.uri = t.uri:find("%", 1, true) and ngx.unescape_uri((t.uri:gsub("%+", "%%2B"))) or t.uri
  if ("/" .. t.uri .. "/"):find("/../", 1, true) then
    C.raw_log(ngx.ERR, "unsafe URI \"" .. t.uri .. "\" was detected")
    error("unsafe URI in argument #1: \"" .. t.uri .. "\"", level)
  end
  return t
end

function ngx.location.capture(uri, options)
  return capture({ one(uri, options, 3) })
end

function ngx.location.capture_multi(requests)
  if type(requests) ~= "table" then error("bad argument #1 to 'capture_multi' (table expected, got " .. type(requests) .. ")", 2) end
  if #requests == 0 then error("at least one subrequest should be specified", 2) end
  local list = {}
  for i, request in ipairs(requests) do
    if type(request) ~= "table" then error("the query argument " .. i .. " is not a table, but a " .. type(request), 2) end
    list[i] = one(request[1], request[2], 3)
  end
  return capture(list)
end
