#include "e2e/pebble.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/folder.h"
#include "e2e/timing.h"

namespace test {
namespace {

constexpr const char* kCa = "/usr/bin/pebble";
constexpr const char* kNames = "/usr/bin/pebble-challtestsrv";

// Its words go to `log`; true once they are these.
pid_t run(std::vector<std::string> words, const std::string& folder, const std::string& log,
          const std::vector<std::pair<std::string, std::string>>& environment) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string path = folder + "/" + log;
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a test that is killed leaves none behind
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

bool comes_to_say(const std::string& folder, const std::string& log, const std::string& words) {
  const auto says = [&] { return read_file(folder + "/" + log).find(words) != std::string::npos; };
  return wait_for_change(folder, says, Clock::now() + 3 * kPatience);
}

// What it says of its addresses comes before it listens.
bool accepts(int port) {
  try {
    RawClient c(port);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string local(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

Child::~Child() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

std::unique_ptr<NameServer> NameServer::start() {
  if (::access(kNames, X_OK) == 0) return std::unique_ptr<NameServer>(new NameServer);
  WARN("no pebble: skipped");
  return nullptr;
}

NameServer::NameServer() : folder_(make_folder()), port_(free_port()), management_(free_port()) {
  child_ = std::make_unique<Child>(run({kNames, "-management", local(management_), "-dns01", local(port_), "-http01", "",
                                        "-https01", "", "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""},
                                       folder_, "dns.log", {}));
  REQUIRE(comes_to_say(folder_, "dns.log", "Starting management server on"));
  REQUIRE(wait_until([&] { return accepts(management_); }, 3 * kPatience));
}

std::string NameServer::address() const { return local(port_); }
std::string NameServer::management() const { return "http://" + local(management_); }

void NameServer::tell(const std::string& command, const std::string& json) const {
  Request request;
  request.method = "POST";
  request.url = management() + "/" + command;
  request.body = json;
  REQUIRE(fetch(request).status == 200);
}

std::unique_ptr<Pebble> Pebble::start(int http_port, int tls_port, const PebbleOptions& options) {
  auto names = NameServer::start();
  return std::unique_ptr<Pebble>(names ? new Pebble(std::move(names), http_port, tls_port, options) : nullptr);
}

Pebble::Pebble(std::unique_ptr<NameServer> names, int http_port, int tls_port, const PebbleOptions& options)
    : folder_(make_folder()), port_(free_port()), management_(free_port()), names_(std::move(names)) {
  const Certificate own = make_certificate({"localhost", "IP:127.0.0.1"});
  write_file(folder_ + "/pebble.crt", own.certificate);
  write_file(folder_ + "/pebble.key", own.key);
  start_ca(http_port, tls_port, options);
}

void Pebble::start_ca(int http_port, int tls_port, const PebbleOptions& options) {
  const std::string binding =
      options.wants_binding ? ",\"externalAccountMACKeys\":{\"kid-1\":\"" + std::string(kBindingKey) + "\"}" : "";
  write_file(folder_ + "/pebble.json",
             "{\"pebble\":{\"listenAddress\":\"" + local(port_) + "\",\"managementListenAddress\":\"" + local(management_) +
                 "\",\"certificate\":\"" + folder_ + "/pebble.crt\",\"privateKey\":\"" + folder_ +
                 "/pebble.key\",\"httpPort\":" + std::to_string(http_port) + ",\"tlsPort\":" + std::to_string(tls_port) +
                 ",\"ocspResponderURL\":\"\"," +
                 "\"externalAccountBindingRequired\":" + (options.wants_binding ? "true" : "false") + binding +
                 ",\"certificateValidityPeriod\":" + std::to_string(options.validity) + "}}");
  auto environment = options.environment;
  environment.emplace_back("PEBBLE_VA_NOSLEEP", "1");
  environment.emplace_back("PEBBLE_WFE_NONCEREJECT", std::to_string(options.refused_nonces));
  child_ = std::make_unique<Child>(
      run({kCa, "-strict", "-config", folder_ + "/pebble.json", "-dnsserver", names_->address()}, folder_, "pebble.log", environment));
  REQUIRE(comes_to_say(folder_, "pebble.log", "ACME directory available at"));
  REQUIRE(wait_until([&] { return accepts(port_) && accepts(management_); }, 3 * kPatience));
}

std::string Pebble::directory() const {
  return "https://localhost:" + std::to_string(port_) + "/dir";
}
std::string Pebble::root(int n) const {
  return get("https://localhost:" + std::to_string(management_) + "/roots/" + std::to_string(n)).body;
}
std::string Pebble::log() const {
  return read_file(folder_ + "/pebble.log");
}

std::string Pebble::issuer(const std::string& name, const std::string& more) const {
  return "acme_issuer " + name + " { uri " + directory() + "; ssl_trusted_certificate " + authority() +
         "; accept_terms_of_service; contact admin@example.test; state_path %%DIR%%/state/" + name + "; " + more + " }\n";
}

}  // namespace test
