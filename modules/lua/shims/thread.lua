-- ngx.sleep and light threads.
local C = ...
ngx.sleep = C.waiting(C.sleep)
local spawn, give_way = C.thread_spawn, C.give_way
function ngx.thread.spawn(...)
  local co = spawn(...)
  give_way()
  return co
end
ngx.thread.wait = C.waiting(C.thread_wait)
ngx.thread.kill = C.thread_kill
