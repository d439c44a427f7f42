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
    {"exit_worker_by_lua*", "exit_worker"}, {"ssl_client_hello_by_lua*", "ssl_client_hello"},
};

}  // namespace

const char* name_of(Hook hook) { return kNames[static_cast<unsigned>(hook)].name; }
const char* context_of(Hook hook) {
  switch (hook) {
    case Hook::timer: return ", context: ngx.timer";
    case Hook::init_worker: return ", context: init_worker_by_lua*";
    case Hook::exit_worker: return ", context: exit_worker_by_lua*";
    case Hook::ssl_certificate: return ", context: ssl_certificate_by_lua*";
    case Hook::ssl_client_hello: return ", context: ssl_client_hello_by_lua*";
    default: return "";
  }
}

const char* phase_of(Hook hook) { return kNames[static_cast<unsigned>(hook)].phase; }

}  // namespace seawall::lua
