-- ngx.socket: methods that check what they are given; the work is C++'s. A socket is a table, so that libraries may add to it.
local C = ...
local connect, send, receive, receiveany, receiveuntil, handshake, receive_datagram, setpeername =
  C.waiting(C.tcp_connect), C.waiting(C.tcp_send), C.waiting(C.tcp_receive), C.waiting(C.tcp_receiveany), C.waiting(C.tcp_receiveuntil),
  C.waiting(C.tcp_sslhandshake), C.waiting(C.udp_receive), C.waiting(C.udp_setpeername)

local function handle(self, name)
  if type(self) ~= "table" then error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(self) .. ")", 3) end
  local ud = self[1]
  if not ud then error("no socket", 3) end
  return ud
end

local function port_of(port)
  local n = tonumber(port)
  if not n or n ~= n then return nil end
  n = math.floor(n)
  return n
end

-- A TLS session is cdata, as in OpenResty.
local ffi = require "ffi"
ffi.cdef "struct seawall_tls_session { char unused; };"
local sessions = setmetatable({}, { __mode = "k" })

local tcp = {}
tcp.__index = tcp

function tcp:connect(host, port, options)
  local ud = handle(self, "connect")
  if type(host) ~= "string" then error("bad argument #1 to 'connect' (string expected, got " .. (host == nil and "nil" or type(host)) .. ")", 2) end
  local key
  if host:sub(1, 5) == "unix:" then
    if type(port) == "table" then options = port end
    key, port = host, nil
  else
    local n = port_of(port)
    if not n then return nil, "missing the port number" end
    if n < 0 or n > 65535 then return nil, "bad port number: " .. n end
    port = n
    key = host .. ":" .. n
  end
  local size, backlog
  if options ~= nil then
    if type(options) ~= "table" then error("bad argument #" .. (port and 3 or 2) .. " to 'connect' (table expected, got " .. type(options) .. ")", 2) end
    if options.pool ~= nil then
      if type(options.pool) ~= "string" and type(options.pool) ~= "number" then
        error("bad argument #" .. (port and 3 or 2) .. " to 'connect' (bad \"pool\" option type: " .. type(options.pool) .. ")", 2)
      end
      key = tostring(options.pool)
    end
    if options.pool_size ~= nil then
      size = tonumber(options.pool_size)
      if not size or size <= 0 then error("bad argument #" .. (port and 3 or 2) .. " to 'connect' (bad \"pool_size\" option value: " .. tostring(options.pool_size) .. ")", 2) end
    end
    if options.backlog ~= nil then
      backlog = tonumber(options.backlog)
      if not backlog or backlog < 0 then error("bad argument #" .. (port and 3 or 2) .. " to 'connect' (bad \"backlog\" option value: " .. tostring(options.backlog) .. ")", 2) end
    end
  end
  return connect(ud, host, port, key, size, backlog)
end

function tcp:send(...)
  if select("#", ...) == 0 then error("expecting 2 arguments (including the object), but got 1", 2) end
  local ud = handle(self, "send")
  return send(ud, (...))
end

function tcp:receive(pattern)
  local ud = handle(self, "receive")
  if pattern == nil or pattern == "*l" or pattern == "l" then return receive(ud, "l") end
  if pattern == "*a" or pattern == "a" then return receive(ud, "a") end
  local size = tonumber(pattern)
  if not size or size ~= size then error("bad argument #1 to 'receive' (bad pattern argument: " .. tostring(pattern) .. ")", 2) end
  if size < 0 then error("bad argument #1 to 'receive' (bad pattern argument)", 2) end
  return receive(ud, math.floor(size))
end

function tcp:receiveany(most)
  local ud = handle(self, "receiveany")
  local size = tonumber(most)
  if not size or not (size > 0) then error("bad argument #1 to 'receiveany' (bad max argument)", 2) end
  return receiveany(ud, math.floor(size))
end

function tcp:receiveuntil(pattern, options)
  local ud = handle(self, "receiveuntil")
  if type(pattern) ~= "string" then
    if type(pattern) == "number" then pattern = tostring(pattern)
    else error("bad argument #1 to 'receiveuntil' (string expected, got " .. type(pattern) .. ")", 2) end
  end
  if pattern == "" then return nil, "pattern is empty" end
  local inclusive = false
  if options ~= nil then
    if type(options) ~= "table" then error("bad argument #2 to 'receiveuntil' (table expected)", 2) end
    if options.inclusive ~= nil then
      if type(options.inclusive) ~= "boolean" then error("bad \"inclusive\" option value type: " .. type(options.inclusive), 2) end
      inclusive = options.inclusive
    end
  end
  local seen = false
  return function(size)
    if seen then
      seen = false
      return nil, nil, nil
    end
    if size ~= nil then
      size = tonumber(size)
      if not size or not (size > 0) then error("bad argument #1 to iterator", 2) end
      size = math.ceil(size)
    end
    local data, why, partial, found = receiveuntil(ud, pattern, size or 0, inclusive)
    if found and size then seen = true end
    if not data then return data, why, partial end
    return data
  end
end

local function ms(value)
  if value == nil then return -1 end
  local n = tonumber(value)
  if not n then error("bad timeout value", 3) end
  if not (n >= 0 and n <= 2147483647) then error("bad timeout value", 3) end
  return n
end
local function check_ms(value, name)
  if type(value) ~= "number" and type(value) ~= "nil" then error("bad argument to '" .. name .. "' (number expected)", 3) end
end
function tcp:settimeout(timeout)
  check_ms(timeout, "settimeout")
  local n = ms(timeout)
  if n == 0 then n = -1 end
  C.tcp_settimeouts(handle(self, "settimeout"), n, n, n)
end
function tcp:settimeouts(connecting, sending, reading)
  C.tcp_settimeouts(handle(self, "settimeouts"), ms(connecting), ms(sending), ms(reading))
end
function tcp:setkeepalive(timeout, size)
  local ud = handle(self, "setkeepalive")
  if timeout ~= nil and (type(timeout) ~= "number" or not (timeout >= 0)) then error("bad argument #1 to 'setkeepalive' (bad timeout value)", 2) end
  return C.tcp_setkeepalive(ud, timeout, size)
end
function tcp:getreusedtimes() return C.tcp_getreusedtimes(handle(self, "getreusedtimes")) end
function tcp:close() return C.tcp_close(handle(self, "close")) end
function tcp:setoption(name, value)
  if name == nil then return nil, "missing the \"option\" argument" end
  if value == nil then return nil, "missing the \"value\" argument" end
  return C.tcp_setoption(handle(self, "setoption"), name, value)
end
function tcp:bind(address)
  return C.tcp_bind(handle(self, "bind"), address)
end
function tcp:sslhandshake(session, name, verify, ocsp)
  local ud = handle(self, "sslhandshake")
  if ocsp then error("the fourth argument of sslhandshake (send_status_req) is not supported yet", 2) end
  local given = session
  if type(session) == "cdata" then given = sessions[session] end
  local result, why = handshake(ud, given, name, verify)
  if type(result) ~= "userdata" then return result, why end
  local handle = ffi.new("struct seawall_tls_session")
  sessions[handle] = result
  return handle
end
function tcp:setclientcert(certificate, key) return C.tcp_setclientcert(handle(self, "setclientcert"), certificate, key) end
tcp.tlshandshake = function() error("tlshandshake is not supported yet", 2) end
C.tcp_methods = tcp

function ngx.socket.tcp()
  return setmetatable({ C.tcp_new() }, tcp)
end
ngx.socket.stream = ngx.socket.tcp
function ngx.socket.connect(...)
  local socket = ngx.socket.tcp()
  local ok, why = socket:connect(...)
  if ok then return socket end
  return nil, why
end

local udp = {}
udp.__index = udp
function udp:setpeername(host, port)
  local ud = handle(self, "setpeername")
  if type(host) ~= "string" then error("bad argument #1 to 'setpeername' (string expected, got " .. type(host) .. ")", 2) end
  if host:sub(1, 5) ~= "unix:" then
    local n = port_of(port)
    if not n then error("bad argument #2 to 'setpeername' (number expected)", 2) end
    if n < 0 or n > 65535 then return nil, "bad port number: " .. n end
    port = n
  end
  return setpeername(ud, host, port)
end
function udp:send(data)
  if data == nil then error("expecting 2 arguments (including the object), but got 1", 2) end
  return C.udp_send(handle(self, "send"), data)
end
function udp:receive(size)
  if size ~= nil and (not tonumber(size) or not (tonumber(size) > 0)) then error("bad argument #1 to 'receive' (bad size argument)", 2) end
  return receive_datagram(handle(self, "receive"), size)
end
function udp:settimeout(timeout) C.udp_settimeout(handle(self, "settimeout"), ms(timeout)) end
function udp:close() return C.udp_close(handle(self, "close")) end
function ngx.socket.udp()
  return setmetatable({ C.udp_new() }, udp)
end

-- The request's body as a socket.
local body = { receive = tcp.receive, receiveany = tcp.receiveany, receiveuntil = tcp.receiveuntil, settimeout = tcp.settimeout,
  settimeouts = tcp.settimeouts }
body.__index = body
local raw_body = { receive = tcp.receive, receiveany = tcp.receiveany, receiveuntil = tcp.receiveuntil, settimeout = tcp.settimeout,
  settimeouts = tcp.settimeouts, send = tcp.send }
raw_body.__index = raw_body
local raw_socket = C.waiting(C.raw_socket)
function ngx.req.socket(raw)
  local ud, why
  if raw then ud, why = raw_socket() else ud, why = C.req_socket() end
  if not ud then return nil, why end
  if raw then return setmetatable({ ud }, raw_body) end
  return setmetatable({ ud }, body)
end
