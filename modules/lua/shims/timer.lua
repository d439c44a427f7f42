-- ngx.timer.
local C = ...
ngx.timer.at = C.timer_at
ngx.timer.every = C.timer_every
ngx.timer.pending_count = C.timer_pending
ngx.timer.running_count = C.timer_running
