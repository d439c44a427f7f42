-- How a handler ends.
local C = ...
ngx.exit = C.waiting(C.exit)
ngx.redirect = C.waiting(C.redirect)
ngx.on_abort = C.on_abort
local exec = C.waiting(C.exec)
function ngx.exec(uri, args)
  if type(uri) ~= "string" then error("bad argument #1 to 'exec' (string expected)", 2) end
  if type(args) == "table" then args = C.encode_args(args, 2)
  elseif args ~= nil and type(args) ~= "string" and type(args) ~= "number" then
    error("bad argument #2 to 'exec' (string, number, or table expected, but got " .. type(args) .. ")", 2)
  end
  return exec(uri, args)
end
C.relocate = C.waiting(C.relocate)

-- Ours alone.
seawall = { deadline = C.deadline }
