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

for _, name in ipairs { "clear_certs", "set_cert", "set_priv_key", "set_der_cert", "set_der_priv_key", "verify_client", "export_keying_material", "export_keying_material_early", "get_client_random", "get_req_ssl_pointer",
  "parse_der_cert", "parse_der_priv_key" } do
  ssl[name] = function() error("ngx.ssl." .. name .. " is not supported yet", 2) end
end
package.loaded["ngx.ssl"] = ssl
