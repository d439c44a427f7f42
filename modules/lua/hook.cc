#include "hook.h"

namespace seawall::lua {
namespace {

struct Names {
  const char* name;
  const char* phase;
};
constexpr Names kNames[] = {
    {"init_by_lua*", "init"}, {"init_worker_by_lua*", "init_worker"}, {"set_by_lua*", "set"},
    {"server_rewrite_by_lua*", "server_rewrite"}, {"rewrite_by_lua*", "rewrite"}, {"access_by_lua*", "access"},
    {"content_by_lua*", "content"}, {"header_filter_by_lua*", "header_filter"}, {"body_filter_by_lua*", "body_filter"},
    {"log_by_lua*", "log"}, {"ngx.timer", "timer"}, {"balancer_by_lua*", "balancer"}, {"ssl_certificate_by_lua*", "ssl_cert"},
    {"exit_worker_by_lua*", "exit_worker"},
};

}  // namespace

const char* name_of(Hook hook) { return kNames[static_cast<unsigned>(hook)].name; }
const char* phase_of(Hook hook) { return kNames[static_cast<unsigned>(hook)].phase; }

}  // namespace seawall::lua
