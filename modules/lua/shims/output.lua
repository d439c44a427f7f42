-- What a handler says.
local C = ...
ngx.say, ngx.print = C.say, C.print
ngx.flush = C.waiting(C.flush)
ngx.send_headers = C.send_headers
ngx.eof = C.eof

ngx.arg = setmetatable({}, {
  __index = function(_, index)
    return C.arg_get(index)
  end,
  __newindex = function(_, index, value)
    C.arg_set(index, value)
  end,
})
