-- The worker, the configuration, tables' additions.
local C = ...
local S = C.S
local worker, config = ngx.worker, ngx.config

function worker.id() return S.seawall_lua_worker_id() end
-- The thread's: every loop has another one, as every process of nginx has.
function worker.pid() return S.seawall_lua_thread_id() end
function worker.exiting() return S.seawall_lua_exiting() == 1 end
function worker.count() return C.loops() end

config.subsystem = "http"
config.debug = false
config.prefix = function() return C.prefix end
config.nginx_version = 1031004
config.ngx_lua_version = 10023
config.nginx_configure = function() return "" end

package.loaded["table.new"] = table.new or package.loaded["table.new"]

-- What a script may not do to the process that others run in, too.
os.exit = function() error("os.exit() would end every request of this server", 2) end
