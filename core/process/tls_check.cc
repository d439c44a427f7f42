#include "seawall/process/tls_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "seawall/base/text.h"
#include "seawall/process/configuration.h"
#include "seawall/process/tls_grade.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

constexpr std::uint64_t kLongHsts = 180ull * 24 * 3600;

using StorePtr = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;

StorePtr trusted_with(const std::string& authorities) {
  StorePtr store(X509_STORE_new());
  X509_STORE_set_default_paths(store.get());
  if (!authorities.empty())
    for (const X509Ptr& one : parse_authorities(PemFiles().text(authorities))) X509_STORE_add_cert(store.get(), one.get());
  return store;
}

// The add_header lines of a block, if it has any: then the outer ones do not hold in it.
std::optional<std::string> hsts_in(const Node& block) {
  std::optional<std::string> value;
  for (const Node& node : block.children) {
    if (node.name != "add_header" || node.args.size() < 2) continue;
    if (!value) value = "";
    if (equals_ignoring_case(node.args[0], "Strict-Transport-Security")) value = node.args[1];
  }
  return value;
}

const Node* child(const Node& block, std::string_view name, std::string_view argument) {
  for (const Node& node : block.children)
    if (node.name == name && !node.args.empty() && node.args.back() == argument) return &node;
  return nullptr;
}

// The value of the directive hsts in a block that has it; it stands in place of what add_header says.
std::optional<std::string> hsts_directive_in(const Node& block) {
  std::optional<std::string> value;
  for (const Node& node : block.children) {
    if (node.name != "hsts") continue;
    value = node.args == std::vector<std::string>{"off"} ? "" : "max-age=31536000";
    for (const std::string& word : node.args) {
      const auto time = word == "off" ? std::nullopt : time_of(word);
      if (time) value = "max-age=" + std::to_string(time->count() / 1000);
    }
  }
  return value;
}

// Of the innermost of these blocks that says anything.
template <class Say>
std::string said_by(std::initializer_list<const Node*> blocks, Say say) {
  for (const Node* block : blocks)
    if (const auto value = block ? say(*block) : std::nullopt) return *value;
  return "";
}

// What a response of the server's root carries, as far as the configuration's text says it.
std::string hsts_of(const ConfigTree& tree, const Vhost& vhost) {
  for (const Node& http : tree.nodes) {
    if (http.name != "http") continue;
    for (const Node& server : http.children) {
      if (server.name != "server" || server.place.file != vhost.place.file || server.place.line != vhost.place.line) continue;
      const Node* const root = child(server, "location", "/");
      const std::string directive = said_by({root, &server, &http}, hsts_directive_in);
      return directive.empty() ? said_by({root, &server, &http}, hsts_in) : directive;
    }
  }
  return "";
}

std::uint64_t max_age(std::string_view hsts) {
  constexpr std::string_view key = "max-age=";
  const auto at = hsts.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view digits = hsts.substr(at + key.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return parse_decimal(digits).value_or(0);
}

std::vector<std::string> names_of(const Vhost& vhost) {
  std::vector<std::string> names;
  for (const ServerName& name : vhost.names) names.push_back(name.text);
  return names;
}

std::string stapling_of(const TlsSettings& settings) {
  if (!settings.stapling) return "off";
  return settings.stapling_file.empty() ? "fetched" : "from " + settings.stapling_file;
}

void line(const char* what, const std::string& value) { std::cout << fmt::format("  {:<12}{}\n", what, value.empty() ? "none" : value); }

// One server; its rank.
TlsGrade::Rank check(const Configuration& conf, const Vhost& vhost, const TlsContext& context, X509_STORE* trusted) {
  const std::vector<std::string> names = names_of(vhost);
  const TlsScan scan = TlsScan::of(context, vhost.primary_name);
  const std::string hsts = hsts_of(conf.tree(), vhost);
  TlsGrade grade;
  grade_protocol(scan, grade);
  for (const CertificateChain& chain : scan.certificates) grade_certificate(chain, names, trusted, grade);
  if (hsts.empty()) grade.cap(TlsGrade::a, "no Strict-Transport-Security");
  else if (max_age(hsts) < kLongHsts) grade.cap(TlsGrade::a, "Strict-Transport-Security holds for less than 180 days");
  std::cout << fmt::format("server {} in {}: {}\n", fmt::join(names, " "), vhost.place.text(), TlsGrade::name_of(grade.rank()));
  line("versions", fmt::format("{}", fmt::join(scan.versions, " ")));
  line("TLS 1.3", fmt::format("{}", fmt::join(scan.suites_13, " ")));
  line("TLS 1.2", fmt::format("{}", fmt::join(scan.suites_12, " ")));
  line("groups", fmt::format("{}", fmt::join(scan.groups, " ")));
  for (const CertificateChain& chain : scan.certificates) {
    line("certificate", describe_certificate(chain.leaf.get()));
    line("chain", std::to_string(chain.others.size()) + " more");
  }
  line("stapling", stapling_of(context.settings()));
  line("HSTS", hsts);
  for (const TlsGrade::Reason& reason : grade.reasons())
    std::cout << fmt::format("  at most {}: {}\n", TlsGrade::name_of(reason.rank), reason.text);
  return grade.rank();
}

// The context of a server that is reached over TLS; null for others and for those that refuse handshakes.
const TlsContext* context_of(const Configuration& conf, const Vhost& vhost) {
  for (const Endpoint& endpoint : conf.http().endpoints.all()) {
    if (!endpoint.options.ssl || std::find(endpoint.servers.begin(), endpoint.servers.end(), &vhost) == endpoint.servers.end()) continue;
    if (*vhost.tls_conf->reject_handshake) return nullptr;
    return vhost.tls ? vhost.tls.get() : endpoint.default_server->tls.get();
  }
  return nullptr;
}

bool check_all(const Configuration& conf, const std::string& host, X509_STORE* trusted) {
  TlsGrade::Rank worst = TlsGrade::a_plus;
  bool any = false;
  for (const Vhost& vhost : conf.http().vhosts) {
    const TlsContext* const context = context_of(conf, vhost);
    const std::vector<std::string> names = names_of(vhost);
    if (!context || (!host.empty() && std::find(names.begin(), names.end(), lower(host)) == names.end())) continue;
    any = true;
    if (context->settings().pairs_vary) {
      std::cout << "server " << vhost.primary_name << " in " << vhost.place.text() << ": its certificates vary and are not checked\n";
      worst = std::max(worst, TlsGrade::b);  // nobody knows
      continue;
    }
    worst = std::max(worst, check(conf, vhost, *context, trusted));
  }
  if (!any) std::cerr << "seawall: no TLS server" << (host.empty() ? "" : " of the name " + host) << "\n";
  return any && worst <= TlsGrade::a;
}

}  // namespace

bool check_tls(const Options& options, const std::string& host, const std::string& authorities) {
  try {
    const auto conf = Configuration::load(options, [](const std::string& text) { std::cerr << "nginx: [warn] " << text << "\n"; });
    return check_all(*conf, host, trusted_with(authorities).get());
  } catch (const std::exception& error) {
    std::cerr << "nginx: [emerg] " << error.what() << "\n";
    return false;
  }
}

}  // namespace seawall
