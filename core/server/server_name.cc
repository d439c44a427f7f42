#include "seawall/server/server_name.h"

#include <string>

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {
std::string with_version = "seawall/" + std::string(kVersion);
std::string without_version = "seawall";
bool nginx_alike = false;
}  // namespace

void set_nginx_name(bool on) {
  nginx_alike = on;
  with_version = on ? "nginx/" + std::string(kNginxLevel) : "seawall/" + std::string(kVersion);
  without_version = on ? "nginx" : "seawall";
}

bool is_nginx_alike() { return nginx_alike; }

std::string_view server_field(const Exchange& x) {
  return *x.core().server_tokens == ServerTokens::off ? without_version : with_version;
}

std::string_view server_signature(const Exchange& x) { return server_field(x); }

}  // namespace seawall
