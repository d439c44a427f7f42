-- What OpenResty has and this server has not: an error that says so, where it is called.
local function refuse(t, name, ...)
  for _, key in ipairs { ... } do
    if rawget(t, key) == nil then
      rawset(t, key, function() error(name .. "." .. key .. " is not supported yet", 2) end)
    end
  end
end

refuse(ngx, "ngx", "on_abort", "run_worker_thread")
refuse(ngx.req, "ngx.req", "socket", "init_body", "append_body", "finish_body")
refuse(ngx.worker, "ngx.worker", "pids")
