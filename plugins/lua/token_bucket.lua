-- So many requests a second for each key, and some at once: a bucket of tokens for each of them, in a dictionary that all loops share.
--
--   lua_shared_dict buckets 10m;
--   location /api/ {
--       access_by_lua_block { require("token_bucket").take("buckets", ngx.var.remote_addr, 5, 20) }   # 5 a second, 20 at once
--       proxy_pass http://backend;
--   }
local M = {}

-- A bucket is the moment at which it will be full again: each token that is taken puts that off by 1/rate seconds, and none is there
-- when it would be further away than size/rate. One loop is never interrupted in here; two that ask for the same key at the very same
-- time may be given the same token, which costs less than a lock would.
function M.try(dict, key, rate, size, now)
  local full = math.max(dict:get(key) or 0, now) + 1 / rate
  local wait = full - now - size / rate
  if wait > 1e-9 then return false, wait end
  local ok, why = dict:set(key, full, size / rate + 1)
  if not ok then return nil, why end
  return true
end

function M.take(dict_name, key, rate, size)
  local dict = assert(ngx.shared[dict_name], "no lua_shared_dict " .. dict_name)
  local allowed, wait = M.try(dict, key, rate, size, ngx.now())
  if allowed then return end
  if allowed == nil then
    -- Better one too many than nobody at all.
    ngx.log(ngx.ERR, "the bucket of ", key, " cannot be had: ", wait)
    return
  end
  ngx.header["Retry-After"] = math.max(1, math.ceil(wait))
  return ngx.exit(429)
end

return M
