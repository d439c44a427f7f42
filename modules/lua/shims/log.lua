-- ngx.log, print.
local C = ...
ngx.log = C.log
print = C.print_line
