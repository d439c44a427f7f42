-- ngx.ssl.
local C = ...
local ssl = { SSL3_VERSION = 0x0300, TLS1_VERSION = 0x0301, TLS1_1_VERSION = 0x0302, TLS1_2_VERSION = 0x0303, TLS1_3_VERSION = 0x0304,
  _VERSION = "0.1.25", version = "0.1.25" }

ssl.server_name, ssl.server_port = C.ssl_server_name, C.ssl_server_port
ssl.raw_server_addr, ssl.raw_client_addr = C.ssl_raw_server_addr, C.ssl_raw_client_addr
function ssl.get_tls1_version() return (C.ssl_version()) end
function ssl.get_tls1_version_str()
  local number, name = C.ssl_version()
  if not number then return nil, name end
  return name
end

local function with_text(name, f)
  return function(text)
    if type(text) ~= "string" then error("bad argument #1 to '" .. name .. "' (string expected, got " .. type(text) .. ")", 2) end
    return f(text)
  end
end
ssl.parse_pem_cert = with_text("parse_pem_cert", C.ssl_parse_pem_cert)
ssl.parse_pem_priv_key = with_text("parse_pem_priv_key", C.ssl_parse_pem_key)
ssl.cert_pem_to_der = with_text("cert_pem_to_der", C.ssl_cert_pem_to_der)
ssl.priv_key_pem_to_der = with_text("priv_key_pem_to_der", C.ssl_key_pem_to_der)

ssl.set_der_cert = with_text("set_der_cert", C.ssl_set_der_cert)
ssl.set_der_priv_key = with_text("set_der_priv_key", C.ssl_set_der_key)
ssl.clear_certs, ssl.set_cert, ssl.set_priv_key = C.ssl_clear_certs, C.ssl_set_cert, C.ssl_set_priv_key

for _, name in ipairs { "verify_client", "export_keying_material", "export_keying_material_early", "get_client_random", "get_req_ssl_pointer",
  "parse_der_cert", "parse_der_priv_key" } do
  ssl[name] = function() error("ngx.ssl." .. name .. " is not supported yet", 2) end
end
package.loaded["ngx.ssl"] = ssl

-- ngx.ssl.clienthello: what a client has said, before anything of it is used.
local hello = { version = "0.1.25" }
local byte = string.byte

function hello.get_client_hello_ext(number)
  return C.hello_extension(tonumber(number) or -1)
end
hello.get_client_hello_ext_present = C.hello_extensions

-- RFC 6066 3: a list of names, of which the first is the host's.
function hello.get_client_hello_server_name()
  local list, err = C.hello_extension(0)
  if not list then return nil, err end
  if #list < 5 or byte(list, 3) ~= 0 then return nil, "failed to parse SNI extension" end
  local size = byte(list, 4) * 256 + byte(list, 5)
  if size == 0 or size + 5 > #list then return nil, "failed to parse SNI extension" end
  return list:sub(6, 5 + size)
end

local versions = { [0x300] = "SSLv3", [0x301] = "TLSv1", [0x302] = "TLSv1.1", [0x303] = "TLSv1.2", [0x304] = "TLSv1.3" }
-- In the client's order; what nobody knows is left out.
function hello.get_supported_versions()
  local list, err = C.hello_extension(43)
  if not list then return nil, err end
  if #list == 0 or byte(list, 1) ~= #list - 1 then return nil end
  local known = {}
  for i = 2, #list - 1, 2 do
    known[#known + 1] = versions[byte(list, i) * 256 + byte(list, i + 1)]
  end
  return known
end

-- SSLv2 and SSLv3 are words, but nobody speaks them any more.
function hello.set_protocols(names)
  local wanted = { SSLv2 = false, SSLv3 = false, TLSv1 = false, ["TLSv1.1"] = false, ["TLSv1.2"] = false, ["TLSv1.3"] = false }
  for _, name in ipairs(names) do
    if wanted[name] == nil then return nil, "invalid protocols failed" end
    wanted[name] = true
  end
  return C.hello_set_versions(wanted.TLSv1, wanted["TLSv1.1"], wanted["TLSv1.2"], wanted["TLSv1.3"])
end
package.loaded["ngx.ssl.clienthello"] = hello
