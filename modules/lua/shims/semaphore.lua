-- ngx.semaphore.
local C = ...
local wait = C.waiting(C.semaphore_wait)
local semaphore = {}
semaphore.__index = semaphore

function semaphore.new(n)
  n = tonumber(n) or 0
  if n < 0 then error("no memory", 2) end
  return setmetatable({ sem = C.semaphore_new(n) }, semaphore)
end

local function check(self)
  if type(self) ~= "table" or type(self.sem) ~= "userdata" then error("not a semaphore instance", 3) end
  return self.sem
end

function semaphore.post(self, n)
  local sem = check(self)
  local count = n and tonumber(n) or 1
  if count < 1 then error("bad number resources passed: " .. tostring(n), 2) end
  return C.semaphore_post(sem, count)
end
function semaphore.wait(self, seconds)
  local sem = check(self)
  seconds = tonumber(seconds) or 0
  if seconds < 0 then error("timeout must be greater than or equal to 0", 2) end
  return wait(sem, seconds)
end
function semaphore.count(self) return C.semaphore_count(check(self)) end
package.loaded["ngx.semaphore"] = semaphore
