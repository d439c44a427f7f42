#include "seawall/process/version.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include <iostream>

#include "seawall/process/installation.h"
#include "seawall/server/server_name.h"

namespace seawall {
namespace {

static_assert(kVersion == SEAWALL_VERSION, "the version in CMakeLists.txt and in server_name.h");

// nginx's names of parts that are built in there unless somebody says otherwise, and not built here yet.
constexpr std::string_view kWithout[] = {
    "access", "auth_basic", "browser", "charset", "empty_gif", "fastcgi", "geo", "grpc", "gzip", "limit_conn", "limit_req", "map",
    "memcached", "mirror", "proxy", "referer", "scgi", "split_clients", "ssi", "upstream_hash", "upstream_ip_hash", "upstream_keepalive",
    "upstream_least_conn", "upstream_random", "upstream_zone", "userid", "uwsgi"};

void print_help() {
  const std::string prefix = default_prefix();
  std::cerr << "Usage: seawall [-?hvVtTq] [-s signal] [-p prefix]\n"
               "               [-e filename] [-c filename] [-g directives]\n"
               "       seawall COMMAND [argument ...]\n\n"
               "Options:\n"
               "  -?,-h         : this help\n"
               "  -v            : show version and exit\n"
               "  -V            : show version and how it was built, then exit\n"
               "  -t            : test configuration and exit\n"
               "  -T            : test configuration, dump it and exit\n"
               "  -q            : suppress non-error messages during configuration testing\n"
               "  -s signal     : send signal to a master process: stop, quit, reopen, reload\n"
               "  -p prefix     : set prefix path (default: " << prefix << ")\n"
               "  -e filename   : set error log file (default: logs/error.log)\n"
               "  -c filename   : set configuration file (default: nginx.conf)\n"
               "  -g directives : set global directives out of configuration file\n\n"
               "Relative file names are taken from the prefix. Without -t, -T and -s the server starts.\n\n"
               "Commands:\n"
               "  directives [NAME]   : the directives of a module as a Markdown table; without NAME the modules\n"
               "  refused             : the directives of nginx that are not supported yet\n"
               "  index-modules DIR   : write modules.index of a directory of modules\n\n";
}

void print_build() {
  const std::string built = OPENSSL_VERSION_TEXT, running = OpenSSL_version(OPENSSL_VERSION);
  std::cerr << "built by gcc " << __VERSION__ << "\nbuilt with " << built
            << (built == running ? "" : " (running with " + running + ")") << "\nTLS SNI support enabled\n"
            << "configure arguments: --prefix=" << default_prefix() << " --modules-path=" << module_directory();
  std::cerr << " --with-http_ssl_module";
  for (auto module : kWithout) std::cerr << " --without-http_" << module << "_module";
  std::cerr << "\n";
}

}  // namespace

void print_version(const Options& options) {
  std::cerr << "seawall version: seawall/" << kVersion << "\nnginx version: nginx/" << kNginxLevel
            << " (the level of its language)\n";
  if (options.help) print_help();
  if (options.build) print_build();
}

}  // namespace seawall
