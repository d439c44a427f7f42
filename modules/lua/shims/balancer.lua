-- ngx.balancer.
local C = ...
local balancer = { version = "0.1.25" }

-- `host`: the name that TLS says and checks.
function balancer.set_current_peer(address, port, host)
  if type(address) ~= "string" then error("bad argument #1 to 'set_current_peer' (string expected, got " .. type(address) .. ")", 2) end
  if host ~= nil and type(host) ~= "string" then error("options of set_current_peer are not supported yet", 2) end
  return C.balancer_set_peer(address, tonumber(port) or 0, host)
end

function balancer.set_more_tries(count)
  return C.balancer_set_more_tries(tonumber(count) or 0)
end

balancer.get_last_failure = C.balancer_last_failure
-- Each try's request is made when its server is known: what a script has changed is in it anyhow.
balancer.recreate_request = C.balancer_recreate_request

local function check_timeout(value, name)
  if value == nil then return end
  if type(value) ~= "number" or not (value > 0) then error("invalid " .. name .. " timeout", 3) end
end
function balancer.set_timeouts(connect, send, read)
  check_timeout(connect, "connect") check_timeout(send, "send") check_timeout(read, "read")
  return C.balancer_set_timeouts(connect, send, read)
end

function balancer.enable_keepalive(idle, requests)
  idle, requests = idle or 60, requests or 100
  if type(idle) ~= "number" or not (idle >= 0) then error("bad argument #1 to 'enable_keepalive' (number expected)", 2) end
  if type(requests) ~= "number" or not (requests >= 0) then error("bad argument #2 to 'enable_keepalive' (number expected)", 2) end
  return C.balancer_enable_keepalive(idle, requests)
end

for _, name in ipairs { "set_upstream_tls", "bind_to_local_addr" } do
  balancer[name] = function() error("ngx.balancer." .. name .. " is not supported yet", 2) end
end
package.loaded["ngx.balancer"] = balancer
