-- Lets in whoever brings a JSON Web Token (RFC 7519) that was signed with our secret by HMAC-SHA256, and is still good.
--
--   lua_package_path '/path/to/plugins/lua/?.lua;;';
--   location /api/ {
--       access_by_lua_block { require("token_check").check(os.getenv("API_SECRET")) }   # main: env API_SECRET;
--       proxy_pass http://backend;
--   }
--
-- What the token says is in ngx.ctx.claims for the scripts behind it.
local base64 = require "ngx.base64"
local cjson = require "cjson.safe"
local ffi = require "ffi"

ffi.cdef [[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *kind, const void *key, int key_size, const char *text, size_t size, unsigned char *out, unsigned *out_size);
]]

local M = {}

local function hmac_sha256(key, text)
  local out, size = ffi.new("unsigned char[32]"), ffi.new("unsigned[1]")
  ffi.C.HMAC(ffi.C.EVP_sha256(), key, #key, text, #text, out, size)
  return ffi.string(out, 32)
end

-- Takes as long for a wrong first byte as for a wrong last one: the time tells nobody how much was right.
local function same(a, b)
  if #a ~= #b then return false end
  local difference = 0
  for i = 1, #a do difference = bit.bor(difference, bit.bxor(a:byte(i), b:byte(i))) end
  return difference == 0
end

local function object(text)
  local bytes = base64.decode_base64url(text)
  local value = bytes and cjson.decode(bytes)
  return type(value) == "table" and value or nil
end

-- The claims of a token; or nil and why it is not good.
function M.verify(token, secret, now)
  local head, body, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if not head then return nil, "no token" end
  local fields = object(head)
  -- The algorithm is ours to choose, never the token's: "none" and other people's keys begin there.
  if not fields or fields.alg ~= "HS256" then return nil, "another algorithm" end
  local given = base64.decode_base64url(signature)
  if not given or not same(given, hmac_sha256(secret, head .. "." .. body)) then return nil, "a wrong signature" end
  local claims = object(body)
  if not claims then return nil, "no claims" end
  if type(claims.exp) ~= "number" or claims.exp <= now then return nil, "too old" end
  if claims.nbf ~= nil and not (type(claims.nbf) == "number" and claims.nbf <= now) then return nil, "too early" end
  return claims
end

function M.check(secret)
  assert(type(secret) == "string" and #secret >= 32, "the secret of tokens must have 32 bytes or more")
  local token = (ngx.var.http_authorization or ""):match("^[Bb]earer +(%S+)$")
  local claims, why = M.verify(token or "", secret, ngx.time())
  if claims then
    ngx.ctx.claims = claims
    return
  end
  ngx.log(ngx.INFO, "token refused: ", why)
  ngx.header["WWW-Authenticate"] = token and 'Bearer error="invalid_token"' or "Bearer"
  return ngx.exit(401)
end

return M
