-- Each client gets one of two variants, and keeps it: by a cookie.
--
--   location / {
--       set $variant "";
--       rewrite_by_lua_block { ngx.var.variant = require("split").choose("variant", 10) }   # 10 percent get "b"
--       proxy_pass http://backend_$variant;
--   }
local M = {}

-- Seeded by each loop for itself: all would draw the same otherwise.
local seeded = false
local function draw()
  if not seeded then
    math.randomseed(ngx.time() * 1000 + ngx.worker.pid())
    seeded = true
  end
  return math.random() * 100
end

function M.choose(cookie, percent)
  local known = ngx.var["cookie_" .. cookie]
  if known == "a" or known == "b" then return known end
  local variant = draw() < percent and "b" or "a"
  require("ngx.resp").add_header("Set-Cookie", ("%s=%s; Path=/; Max-Age=2592000; SameSite=Lax"):format(cookie, variant))
  return variant
end

return M
