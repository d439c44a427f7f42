#include "seawall/process/config_test.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/process/configuration.h"

namespace seawall {
namespace {

void complain(const char* level, const std::string& text) { std::cerr << "nginx: [" << level << "] " << text << "\n"; }

std::string reason() { return " failed " + describe(system_error_code(errno)); }

// An address in use is most likely used by the server that is running; any other refusal would meet a start, too.
void check_address(const ListenSocket& socket) {
  const Address& address = socket.address;
  if (address.is_unix()) return;
  const Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw ConfigError("socket() " + address.text_with_port() + reason());
  const int on = 1, only_v6 = socket.options.ipv6only;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  if (::bind(fd.get(), address.data(), address.size()) < 0 && errno != EADDRINUSE)
    throw ConfigError("bind() to " + address.text_with_port() + reason());
}

// A file that a start would create: writable, or in a directory that is.
void check_creatable(const std::string& path) {
  if (::access(path.c_str(), W_OK) == 0) return;
  if (errno == ENOENT && ::access(path.substr(0, path.rfind('/') + 1).c_str(), W_OK | X_OK) == 0) return;
  throw ConfigError("open() \"" + path + "\"" + reason());
}

void dump(const ConfigTree& tree) {
  for (const ConfigFile& file : tree.files) std::cout << "# configuration file " << file.path << ":\n" << file.text << "\n";
}

}  // namespace

int test_configuration(const Options& options) {
  try {
    const auto warn = [](const std::string& text) { complain("warn", text); };
    const auto notice = [&](const std::string& text) { if (!options.quiet && !options.dump) complain("notice", text); };
    const auto conf = Configuration::load(options, warn, notice);
    if (!options.quiet) std::cerr << "nginx: the configuration file " << options.conf << " syntax is ok\n";
    for (const ListenSocket& socket : conf->http().sockets) check_address(socket);
    check_creatable(conf->pid_file());
    if (!options.quiet) std::cerr << "nginx: configuration file " << options.conf << " test is successful\n";
    if (options.dump) dump(conf->tree());
    return 0;
  } catch (const std::exception& error) {
    complain("emerg", error.what());
    std::cerr << "nginx: configuration file " << options.conf << " test failed\n";
    return 1;
  }
}

}  // namespace seawall
