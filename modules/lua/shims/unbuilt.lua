-- What OpenResty has and this server has not: an error that says so, where it is called.
local function refuse(t, name, ...)
  for _, key in ipairs { ... } do
    if rawget(t, key) == nil then
      rawset(t, key, function() error(name .. "." .. key .. " is not supported yet", 2) end)
    end
  end
end

refuse(ngx, "ngx", "run_worker_thread")
refuse(ngx.worker, "ngx.worker", "pids")
