#include "seawall/process/version.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include <iostream>

#include "seawall/process/installation.h"
#include "seawall/server/server_name.h"
#include "seawall/tls/hardware.h"

namespace seawall {
namespace {

static_assert(kVersion == SEAWALL_VERSION, "the version in CMakeLists.txt and in server_name.h");

// The optional parts of nginx whose directives are known here by name, built or refused: scripts that look here for one shall
// learn from -t which it is, and the public suite skips what it does not find.
constexpr std::string_view kWith[] = {
    "http_ssl_module", "http_v2_module", "http_realip_module", "http_sub_module", "http_auth_request_module",
    "http_addition_module", "http_gunzip_module", "http_gzip_static_module", "http_stub_status_module",
    "http_secure_link_module", "http_slice_module", "http_random_index_module"};
constexpr std::string_view kWithout[] = {"http_memcached_module"};

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
               "  routes [-c CONF]    : the servers and locations of a configuration, and who acts there; see its --help\n"
               "  explain METHOD URL  : what the server would do with a request, and why; see its --help\n"
               "  index-modules DIR   : write modules.index of a directory of modules\n"
               "  tls-check [HOST]    : what an auditor would find at the TLS servers of a configuration; see its --help\n\n";
}

void print_build() {
  const std::string built = OPENSSL_VERSION_TEXT, running = OpenSSL_version(OPENSSL_VERSION);
  std::cerr << "built by gcc " << __VERSION__ << "\nbuilt with " << built
            << (built == running ? "" : " (running with " + running + ")") << "\nTLS SNI support enabled\n"
            << "AES in hardware: " << (aes_hardware().empty() ? "no" : aes_hardware()) << "\n"
            << "configure arguments: --prefix=" << default_prefix() << " --modules-path=" << module_directory();
  for (auto module : kWith) std::cerr << " --with-" << module;
  for (auto module : kWithout) std::cerr << " --without-" << module;
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
