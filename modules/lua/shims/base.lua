-- What the other shims build on: the table ngx, its constants, and how a function waits.
-- C: the functions in C++; C.S: the functions for the FFI.
local C = ...
local ffi = require "ffi"

ffi.cdef [[
int seawall_lua_var_number(const char *name, size_t size);
int seawall_lua_var_at(int number, const char **out, size_t *size);
int seawall_lua_var_get(const char *name, size_t size, const char **out, size_t *out_size);
int seawall_lua_var_set(const char *name, size_t size, const char *value, size_t value_size);
int seawall_lua_hook();
int seawall_lua_has_request();
int seawall_lua_may_wait();
int seawall_lua_ctx();
int seawall_lua_is_subrequest();
int seawall_lua_worker_id();
int seawall_lua_exiting();
int seawall_lua_headers_sent();
int seawall_lua_status_get();
int seawall_lua_status_set(int status);
int seawall_lua_header_get(const char *name, size_t size, int index, const char **out, size_t *out_size);
int seawall_lua_header_set(const char *name, size_t size, const char *value, size_t value_size, int how);
int seawall_lua_header_count();
int seawall_lua_header_framing();
int seawall_lua_transforms_underscores();
void seawall_lua_header_at(int index, const char **name, size_t *name_size, const char **value, size_t *value_size);
int seawall_lua_req_header_count();
void seawall_lua_req_header_at(int index, const char **name, size_t *name_size, const char **value, size_t *value_size);
void seawall_lua_req_header_set(const char *name, size_t size, const char *value, size_t value_size, int how);
void seawall_lua_escape_uri(const char *text, size_t size, int type, const char **out, size_t *out_size);
void seawall_lua_unescape_uri(const char *text, size_t size, const char **out, size_t *out_size);
void seawall_lua_encode_base64(const char *text, size_t size, int pads, int url, const char **out, size_t *out_size);
int seawall_lua_decode_base64(const char *text, size_t size, int url, const char **out, size_t *out_size);
void seawall_lua_md5(const char *text, size_t size, unsigned char *out);
void seawall_lua_sha1(const char *text, size_t size, unsigned char *out);
void seawall_lua_hmac_sha1(const char *key, size_t key_size, const char *text, size_t size, unsigned char *out);
unsigned seawall_lua_crc32(const char *text, size_t size);
double seawall_lua_now();
void seawall_lua_update_time();
void seawall_lua_http_time(double seconds, const char **out, size_t *size);
double seawall_lua_parse_http_time(const char *text, size_t size);
void seawall_lua_req_method(const char **out, size_t *size);
void seawall_lua_req_set_method(const char *name, size_t size);
void seawall_lua_req_args(const char **out, size_t *size);
void seawall_lua_req_set_args(const char *args, size_t size);
void seawall_lua_req_set_uri(const char *uri, size_t size);
double seawall_lua_req_version();
double seawall_lua_req_age();
int seawall_lua_req_is_internal();
void seawall_lua_req_raw_header(int without_line, const char **out, size_t *size);
int seawall_lua_process_id();
void seawall_lua_begin_finaliser();
void seawall_lua_end_finaliser();
int seawall_lua_thread_id();
]]

C.S = ffi.load(C.file)

-- Where the functions in C++ leave what they give back, until it is read a moment later.
local buffers = {}
function C.buffer(kind)
  local buffer = ffi.new(kind)
  buffers[#buffers + 1] = { at = buffer, size = ffi.sizeof(buffer) }
  return buffer
end
C.out, C.size = C.buffer "const char *[1]", C.buffer "size_t[1]"
C.out2, C.size2 = C.buffer "const char *[1]", C.buffer "size_t[1]"

-- A finaliser runs whenever the collector has its turn, also at that very moment, and in whoever's request: what it calls must neither
-- change what lies in the buffers nor that request.
local function guarded(f)
  return function(object)
    local saved = {}
    for i, buffer in ipairs(buffers) do saved[i] = ffi.string(buffer.at, buffer.size) end
    C.S.seawall_lua_begin_finaliser()
    local ok, why = pcall(f, object)
    C.S.seawall_lua_end_finaliser()
    for i, buffer in ipairs(buffers) do ffi.copy(buffer.at, saved[i], buffer.size) end
    if not ok then error(why, 0) end
  end
end

local gc, metatype, proxy = ffi.gc, ffi.metatype, newproxy
function ffi.gc(object, f)
  return gc(object, type(f) == "function" and guarded(f) or f)
end
function ffi.metatype(kind, methods)
  if type(methods) == "table" and type(methods.__gc) == "function" then methods.__gc = guarded(methods.__gc) end
  return metatype(kind, methods)
end
local guards = {
  __newindex = function(t, key, value)
    rawset(t, key, key == "__gc" and type(value) == "function" and guarded(value) or value)
  end,
}
function newproxy(with)
  local made = proxy(with)
  if with == true then setmetatable(getmetatable(made), guards) end
  return made
end

-- A function that waits: `begin` starts, `finish` gives the results once the light thread goes on.
local finish = C.finish
function C.waiting(begin)
  return function(...)
    return finish(begin(...))
  end
end

C.hooks = {
  [0] = "init", "init_worker", "set", "server_rewrite", "rewrite", "access", "content", "header_filter", "body_filter", "log",
  "timer", "balancer", "ssl_cert", "exit_worker", "ssl_client_hello",
}
C.hook_names = {
  [0] = "init_by_lua*", "init_worker_by_lua*", "set_by_lua*", "server_rewrite_by_lua*", "rewrite_by_lua*", "access_by_lua*",
  "content_by_lua*", "header_filter_by_lua*", "body_filter_by_lua*", "log_by_lua*", "ngx.timer", "balancer_by_lua*",
  "ssl_certificate_by_lua*", "exit_worker_by_lua*", "ssl_client_hello_by_lua*",
}

-- In a request, and in none of the hooks that are named: else an error at the caller's caller.
function C.check_request(level, but)
  local hook = C.S.seawall_lua_hook()
  if C.S.seawall_lua_has_request() == 0 then error("API disabled in the current context", level or 3) end
  if but and but[hook] then error("API disabled in the context of " .. (C.hook_names[hook] or "?"), level or 3) end
  return hook
end

ngx = {
  OK = 0, ERROR = -1, AGAIN = -2, DONE = -4, DECLINED = -5,
  STDERR = 0, EMERG = 1, ALERT = 2, CRIT = 3, ERR = 4, WARN = 5, NOTICE = 6, INFO = 7, DEBUG = 8,
  HTTP_GET = 2, HTTP_HEAD = 4, HTTP_POST = 8, HTTP_PUT = 16, HTTP_DELETE = 32, HTTP_MKCOL = 64, HTTP_COPY = 128, HTTP_MOVE = 256,
  HTTP_OPTIONS = 512, HTTP_PROPFIND = 1024, HTTP_PROPPATCH = 2048, HTTP_LOCK = 4096, HTTP_UNLOCK = 8192, HTTP_PATCH = 16384,
  HTTP_TRACE = 32768,
  HTTP_CONTINUE = 100, HTTP_SWITCHING_PROTOCOLS = 101, HTTP_OK = 200, HTTP_CREATED = 201, HTTP_ACCEPTED = 202, HTTP_NO_CONTENT = 204,
  HTTP_PARTIAL_CONTENT = 206, HTTP_SPECIAL_RESPONSE = 300, HTTP_MOVED_PERMANENTLY = 301, HTTP_MOVED_TEMPORARILY = 302,
  HTTP_SEE_OTHER = 303, HTTP_NOT_MODIFIED = 304, HTTP_TEMPORARY_REDIRECT = 307, HTTP_PERMANENT_REDIRECT = 308, HTTP_BAD_REQUEST = 400,
  HTTP_UNAUTHORIZED = 401, HTTP_PAYMENT_REQUIRED = 402, HTTP_FORBIDDEN = 403, HTTP_NOT_FOUND = 404, HTTP_NOT_ALLOWED = 405,
  HTTP_NOT_ACCEPTABLE = 406, HTTP_REQUEST_TIMEOUT = 408, HTTP_CONFLICT = 409, HTTP_GONE = 410, HTTP_UPGRADE_REQUIRED = 426,
  HTTP_TOO_MANY_REQUESTS = 429, HTTP_CLOSE = 444, HTTP_ILLEGAL = 451, HTTP_INTERNAL_SERVER_ERROR = 500,
  HTTP_METHOD_NOT_IMPLEMENTED = 501, HTTP_NOT_IMPLEMENTED = 501, HTTP_BAD_GATEWAY = 502, HTTP_SERVICE_UNAVAILABLE = 503, HTTP_GATEWAY_TIMEOUT = 504,
  HTTP_VERSION_NOT_SUPPORTED = 505, HTTP_INSUFFICIENT_STORAGE = 507,
  req = {}, resp = {}, worker = {}, config = {}, location = {}, socket = {}, thread = {}, timer = {},
  re = {}, shared = {},
}
-- A light userdata: tables of cjson and libraries compare with it.
ngx.null = C.null

-- ngx.X that is no plain field: by name, {get, set}.
C.fields = {}
setmetatable(ngx, {
  __index = function(_, key)
    local field = C.fields[key]
    if field then return field.get() end
  end,
  __newindex = function(self, key, value)
    local field = C.fields[key]
    if field and field.set then return field.set(value) end
    rawset(self, key, value)
  end,
})
