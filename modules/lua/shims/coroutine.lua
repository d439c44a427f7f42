-- coroutine.*: a coroutine that waits makes everything it runs in wait, up to its light thread.
local C = ...
local raw = { resume = coroutine.resume, yield = coroutine.yield, status = coroutine.status, create = coroutine.create }
local token, running = C.token, coroutine.running
local waiting = setmetatable({}, { __mode = "kv" })  -- who waits, with who has resumed it

local function after(co, ok, first, ...)
  if ok and first == token then
    waiting[co] = running()
    raw.yield(token)
    waiting[co] = nil
    return after(co, raw.resume(co))
  end
  return ok, first, ...
end

-- A light thread belongs to its script: resumed by hand, it would run on while its task does.
function coroutine.resume(co, ...)
  if waiting[co] then return false, "cannot resume running coroutine" end
  if type(co) == "thread" and C.is_light(co) then
    local state = C.thread_status(co) or raw.status(co)
    return false, (state == "dead" or state == "zombie") and "cannot resume dead coroutine" or "cannot resume running coroutine"
  end
  return after(co, raw.resume(co, ...))
end

local function check(ok, ...)
  if ok then return ... end
  error((...), 0)
end

function coroutine.create(f)
  if type(f) ~= "function" then error("bad argument #1 to 'create' (Lua function expected)", 2) end
  return raw.create(f)
end

function coroutine.wrap(f)
  local co = coroutine.create(f)
  return function(...)
    return check(coroutine.resume(co, ...))
  end
end

coroutine._resume, coroutine._yield, coroutine._create, coroutine._status, coroutine._wrap =
  coroutine.resume, raw.yield, raw.create, raw.status, coroutine.wrap

function coroutine.status(co)
  if type(co) ~= "thread" then error("bad argument #1 to 'status' (coroutine expected)", 2) end
  local state = C.thread_status(co) or (waiting[co] and "normal") or raw.status(co)
  if state == "running" then
    for _, resumer in pairs(waiting) do
      if resumer == co then return "normal" end
    end
  end
  return state
end

-- Globals are the whole VM's: one that a request writes is another request's, too.
setmetatable(_G, {
  __newindex = function(t, key, value)
    rawset(t, key, value)
    if C.guards_globals() then
      C.raw_log(ngx.WARN, "[lua] writing a global Lua variable ('" .. tostring(key) .. "') which may lead to race conditions between " ..
        "concurrent requests, so prefer the use of 'local' variables\n" .. C.traceback())
    end
  end,
})
