#include "seawall/process/command_line.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "seawall/module/loader.h"
#include "seawall/process/configuration.h"
#include "seawall/process/directive_tables.h"
#include "seawall/server/server_name.h"

namespace seawall {
namespace {

namespace fs = std::filesystem;

// What nginx's tools and its test suite read out of -V: the level of the language and the optional parts of nginx whose
// directives are known here by name.
constexpr std::string_view kWith[] = {
    "http_ssl_module", "http_v2_module", "http_realip_module", "http_sub_module", "http_auth_request_module",
    "http_addition_module", "http_gunzip_module", "http_gzip_static_module", "http_stub_status_module",
    "http_secure_link_module", "http_slice_module", "http_random_index_module"};
constexpr std::string_view kWithout[] = {"http_uwsgi_module", "http_scgi_module", "http_grpc_module", "http_memcached_module"};

void print_version() { std::cerr << "seawall version: seawall/" << kVersion << "\n"; }

void print_build() {
  print_version();
  std::cerr << "nginx version: nginx/" << kNginxLevel << " (the level of its language)\n"
            << "built by gcc " << __VERSION__ << "\nbuilt with " << OpenSSL_version(OPENSSL_VERSION) << "\n"
            << "TLS SNI support enabled\nconfigure arguments: --prefix=" << SEAWALL_PREFIX;
  for (auto module : kWith) std::cerr << " --with-" << module;
  for (auto module : kWithout) std::cerr << " --without-" << module;
  std::cerr << "\n";
}

std::string absolute(const std::string& path, const std::string& base) {
  return fs::path(path).is_absolute() ? path : base + path;
}

void complain(const Options& options, const std::string& level, const std::string& text) {
  if (!options.quiet || level != "notice") std::cerr << "nginx: [" << level << "] " << text << "\n";
}

// -t and -T: 0 when the configuration would be accepted.
int test_configuration(const Options& options) {
  try {
    const auto warn = [&](const std::string& text) { complain(options, "warn", text); };
    const auto notice = [&](const std::string& text) { if (!options.dump) complain(options, "notice", text); };
    const auto conf = Configuration::load(options, warn, notice);
    if (!options.quiet) {
      std::cerr << "nginx: the configuration file " << options.conf << " syntax is ok\n"
                << "nginx: configuration file " << options.conf << " test is successful\n";
    }
    if (options.dump)
      for (const ConfigFile& file : conf->tree().files) std::cout << "# configuration file " << file.path << ":\n" << file.text << "\n";
    return 0;
  } catch (const std::exception& error) {
    complain(options, "emerg", error.what());
    std::cerr << "nginx: configuration file " << options.conf << " test failed\n";
    return 1;
  }
}

// -s: tells the running supervisor, whose pid is where the configuration says.
int send_signal(const Options& options) {
  static const std::map<std::string, int> signals = {
      {"stop", SIGTERM}, {"quit", SIGQUIT}, {"reload", SIGHUP}, {"reopen", SIGUSR1}};
  const auto found = signals.find(options.signal);
  if (found == signals.end()) {
    std::cerr << "nginx: invalid option: \"-s " << options.signal << "\"\n";
    return 1;
  }
  try {
    const auto conf = Configuration::load(options, [](const std::string&) {});
    std::ifstream file(conf->pid_file());
    pid_t pid = 0;
    if (!file) {
      complain(options, "error", "open() \"" + conf->pid_file() + "\" failed (" + std::to_string(errno) + ": " + std::strerror(errno) + ")");
      return 1;
    }
    if (!(file >> pid) || pid <= 0) {
      complain(options, "error", "invalid PID number in \"" + conf->pid_file() + "\"");
      return 1;
    }
    if (::kill(pid, found->second) == 0) return 0;
    complain(options, "alert", "kill(" + std::to_string(pid) + ") failed (" + std::to_string(errno) + ": " + std::strerror(errno) + ")");
  } catch (const std::exception& error) {
    complain(options, "emerg", error.what());
  }
  return 1;
}

}  // namespace

std::string module_directory() {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  if (fs::exists(program / "modules" / "modules.index")) return program / "modules";
  return fs::path(program / SEAWALL_MODULES_FROM_BIN).lexically_normal();
}

std::optional<Options> read_command_line(int argc, char** argv, int& exit_code) {
  CLI::App app("seawall: serves nginx configurations over HTTP and HTTPS", "seawall");
  Options options;
  std::string prefix = SEAWALL_PREFIX, conf = "nginx.conf", modules;
  bool version = false, build = false;
  app.set_help_flag("-h,-?,--help", "this help");
  app.add_flag("-v", version, "show version and exit");
  app.add_flag("-V", build, "show version and build options and exit");
  app.add_flag("-t", options.test, "test the configuration and exit");
  app.add_flag("-T", options.dump, "test the configuration, print it and exit");
  app.add_flag("-q", options.quiet, "no messages but errors while testing");
  app.add_option("-s", options.signal, "tell the running server: stop, quit, reopen, reload");
  app.add_option("-p", prefix, "prefix of relative paths")->capture_default_str();
  app.add_option("-e", options.error_log, "error log until the configuration names one");
  app.add_option("-c", conf, "configuration file")->capture_default_str();
  app.add_option("-g", options.globals, "directives before those of the file");
  auto* index = app.add_subcommand("index-modules", "write modules.index of a directory of modules");
  index->add_option("directory", modules)->required();
  auto* tables = app.add_subcommand("directives", "print the directive table of a module as Markdown");
  tables->add_option("module", modules, "its name; none: all names")->required();
  exit_code = 0;
  try {
    app.parse(argc, argv);
    if (version) print_version();
    else if (build) print_build();
    else if (*index) write_module_index(modules);
    else if (*tables) return print_directive_table(modules) ? std::nullopt : (exit_code = 1, std::nullopt);
    else {
      options.prefix = fs::absolute(prefix).lexically_normal().string();
      if (!options.prefix.ends_with('/')) options.prefix += '/';
      options.conf = absolute(conf, options.prefix);
      if (!options.error_log.empty() && options.error_log != "stderr") options.error_log = absolute(options.error_log, options.prefix);
      if (options.test || options.dump) exit_code = test_configuration(options);
      else if (!options.signal.empty()) exit_code = send_signal(options);
      else return options;
    }
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "seawall: " << error.what() << "\n";
    exit_code = 1;
  }
  return std::nullopt;
}

}  // namespace seawall
