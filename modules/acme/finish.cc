// What is made of the directives of ACME once all is read: which certificates there are, and which server has which. Start-up thread.
#include <algorithm>
#include <chrono>
#include <set>

#include "conf.h"
#include "dns.h"
#include "names.h"
#include "seawall/config/placed.h"
#include "seawall/net/address.h"
#include "seawall/server/worker_folders.h"

namespace seawall::acme {
namespace {

constexpr const char* kPublicCa = "https://acme-v02.api.letsencrypt.org/directory";
constexpr const char* kPublicName = "letsencrypt";
constexpr std::chrono::seconds kPatience{3};  // with the DNS, of -t

// nginx's way of saying that the certificate is that of acme_certificate.
bool names_ours(const TlsConf& tls) {
  return tls.certificates->size() == 1 && tls.certificates->front().value.source() == "$acme_certificate";
}

class Finisher {
 public:
  Finisher(Registry& registry, Binder& binder, int number) : registry_(registry), binder_(binder), number_(number) {}

  void run(Settings& http) {
    const std::vector<ServerBlock> servers = server_blocks(http);
    for (const ServerBlock& server : servers) look_at_ports(server);
    for (const auto& [name, issuer] : registry_.issuers)
      placed(issuer->place, [&, &issuer = *issuer] { finish_issuer(issuer); });
    for (const ServerBlock& server : servers) placed(server.settings.place, [&] { finish_server(server); });
    for (const auto& certificate : registry_.certificates) {
      certificate->fallback = certificate->issuer->fallback.empty() ? nullptr : &issuer_named(certificate->issuer->fallback);
      warn_of_ports(*certificate->issuer);
    }
    if (binder_.options().notice) warn_of_names();  // only -t takes notices, and only it may wait
  }

 private:
  const Conf& conf_of(const Settings& settings) const { return *static_cast<const Conf*>(settings.get(number_)); }

  Issuer& issuer_named(const std::string& name) {
    const auto found = registry_.issuers.find(name);
    if (found == registry_.issuers.end()) throw ConfigError("acme_issuer \"" + name + "\" not found");
    return *found->second;
  }

  void look_at_ports(const ServerBlock& server) {
    for (const Listen& listen : server.listens)
      for (const Address& address : listen.addresses) {
        if (address.is_unix()) continue;
        registry_.has_plain |= !listen.options.ssl;
        int& port = listen.options.ssl ? registry_.tls_port : registry_.plain_port;
        if (port == 0 || address.port() == (listen.options.ssl ? 443 : 80)) port = address.port();
      }
  }

  void finish_issuer(Issuer& issuer) {
    if (issuer.challenge == Challenge::chosen_for_me)
      issuer.challenge = registry_.plain_port == 80 || (registry_.has_plain && registry_.tls_port != 443) ? Challenge::http_01
                                                                                                      : Challenge::tls_alpn_01;
    if (!paths_.insert(issuer.state_path).second)
      throw ConfigError("\"state_path\" \"" + issuer.state_path + "\" is another issuer's, too");
    issuer.store = std::make_shared<FileStore>(issuer.state_path);
    if (!issuer.fallback.empty() && &issuer_named(issuer.fallback) == &issuer)
      throw ConfigError("\"fallback\" of \"" + issuer.name + "\" is the issuer itself");
    note_worker_folder(issuer.state_path);
  }

  // The one that `acme on` means: the only one that is written, else Let's Encrypt.
  Issuer& chosen(const Automatic& automatic) {
    if (!automatic.issuer.empty()) return issuer_named(automatic.issuer);
    if (registry_.issuers.size() == 1) return with_contact(*registry_.issuers.begin()->second, automatic.email);
    if (!registry_.issuers.empty() && !registry_.issuers.contains(kPublicName))
      throw ConfigError("\"acme on\" could mean several issuers, say which: \"acme NAME\"");
    auto& issuer = registry_.issuers[kPublicName];
    if (!issuer) {
      issuer = std::make_unique<Issuer>();
      issuer->name = kPublicName;
      issuer->uri = kPublicCa;
      issuer->accepts_terms = true;  // who writes "acme on" does
      issuer->state_path = binder_.options().prefix + "acme/" + kPublicName;
      finish_issuer(*issuer);
    }
    return with_contact(*issuer, automatic.email);
  }

  static Issuer& with_contact(Issuer& issuer, const std::string& email) {
    const std::string contact = "mailto:" + email;
    if (!email.empty() && std::find(issuer.contacts.begin(), issuer.contacts.end(), contact) == issuer.contacts.end())
      issuer.contacts.push_back(contact);
    return issuer;
  }

  void finish_server(const ServerBlock& server) {
    const Conf& conf = conf_of(server.settings);
    const TlsConf& tls = tls_conf_of(server.settings);
    if (!server.has_tls() || (!tls.certificates->empty() && !names_ours(tls)) || *tls.reject_handshake) return;
    if (conf.wanted.is_set()) return give(server, issuer_named(conf.wanted->issuer), *conf.wanted);
    if (!conf.automatic->on) return;
    Wanted wanted;
    Issuer& issuer = chosen(*conf.automatic);
    wanted.issuer = issuer.name;
    give(server, issuer, wanted);
  }

  void give(const ServerBlock& server, Issuer& issuer, const Wanted& wanted) {
    const std::vector<std::string> names = finished(wanted.names.empty() ? names_of(server) : wanted.names);
    check_names(names, issuer);
    if (wanted.names.empty()) warn_of_left_out(server);
    Certificate& certificate = certificate_for(names, issuer, wanted.key_type);
    if (*conf_of(server.settings).pending == Pending::self_signed && !certificate.given->is_there())
      give_self_signed(certificate);
    TlsConf& tls = own_tls_conf(binder_, server.settings);
    tls.certificates = tls.keys = Setting<std::vector<PemName>>();
    tls.given = certificate.given;
    redirect(server);
  }

  void check_names(const std::vector<std::string>& names, const Issuer& issuer) const {
    if (names.empty())
      throw ConfigError("no \"server_name\" here is a name that a certificate can have, and \"acme_certificate\" names none");
    for (const std::string& name : names) {
      if (!is_host(name)) throw ConfigError("a certificate cannot have the name \"" + name + "\"");
      if (issuer.uri == kPublicCa && !is_public(name))
        throw ConfigError("no public CA gives a certificate for \"" + name + "\"");
      if (name.starts_with('*') && issuer.challenge != Challenge::dns_01)
        throw ConfigError("a certificate for \"" + name + "\" needs \"challenge dns-01\"");
    }
  }

  // Names that look as if they had one.
  void warn_of_left_out(const ServerBlock& server) {
    for (const ServerName& name : server.names)
      if (!name.regex && name.text.find('.') != std::string::npos && !name.text.starts_with('.') && !is_host(name.text))
        binder_.options().warn("no certificate can have the name \"" + name.text + "\", it is left out in " + server.settings.place.text());
  }

  Certificate& certificate_for(const std::vector<std::string>& names, const Issuer& issuer, KeyType key_type) {
    const std::string id = id_of(names, key_type);
    for (const auto& one : registry_.certificates)
      if (one->id == id && one->issuer == &issuer) return *one;
    Certificate& made = *registry_.certificates.emplace_back(std::make_unique<Certificate>());
    made.id = id;
    made.names = names;
    made.key_type = key_type;
    made.issuer = &issuer;
    return made;
  }

  // One key for all: it protects nobody.
  void give_self_signed(Certificate& certificate) {
    if (!self_signed_key_) self_signed_key_ = make_key(KeyType());
    certificate.given->give(make_self_signed(self_signed_key_.get(), certificate.names));
  }

  // What the module redirect does where somebody has written its directive; here nobody has.
  void redirect(const ServerBlock& server) {
    const bool plain =
        std::any_of(server.listens.begin(), server.listens.end(), [](const Listen& one) { return !one.options.ssl; });
    const auto rows = binder_.source().find("redirect_https");
    if (!plain || rows.empty() || says(server.settings, rows.front().module)) return;
    Node node;
    node.name = "redirect_https";
    node.place = server.settings.place;
    node.args.push_back("port=" + std::to_string(tls_port(server)));
    const Invocation in(node, kServer, server.settings, binder_);
    rows.front().directive->apply(binder_.own(server.settings, rows.front().module), in);
  }

  // In the server, or in http around it; the main block's own is always there.
  static bool says(const Settings& settings, int module) {
    return settings.owns(module) || (settings.outer && settings.outer->owns(module));
  }

  static int tls_port(const ServerBlock& server) {
    int port = 443;
    for (const Listen& listen : server.listens)
      for (const Address& address : listen.addresses) {
        if (!listen.options.ssl || address.is_unix()) continue;
        if (address.port() == 443) return 443;
        port = address.port();
      }
    return port;
  }

  void warn_of_ports(const Issuer& issuer) {
    if (!warned_.insert(issuer.name).second) return;
    const std::string where = issuer.place.line ? " in " + issuer.place.text() : "";
    if (issuer.challenge == Challenge::http_01 && registry_.plain_port != 80)
      binder_.options().warn("no server listens on port 80 without TLS, where CAs look for the answers of http-01" + where);
    if (issuer.challenge == Challenge::tls_alpn_01 && registry_.tls_port != 443)
      binder_.options().warn("no server listens on port 443 with TLS, where CAs look for the answers of tls-alpn-01" + where);
  }

  // Names that the CA will not find, one by one; the DNS is given up when it does not answer, or takes its time.
  void warn_of_names() const {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (const auto& certificate : registry_.certificates) {
      const Issuer& issuer = *certificate->issuer;
      if (issuer.challenge == Challenge::dns_01) continue;
      Dns dns(issuer.resolver);
      for (const std::string& name : certificate->names) {
        const Addresses addresses = dns.addresses(name);
        if (!addresses.known || std::chrono::steady_clock::now() > until)
          return binder_.options().warn("the DNS does not answer in time, so that it is not known whether CAs find \"" + name + "\"");
        if (addresses.all.empty())
          binder_.options().warn("the name \"" + name + "\" has no address in the DNS, where CAs look for it");
      }
    }
  }

  Registry& registry_;
  Binder& binder_;
  const int number_;
  KeyPtr self_signed_key_;
  std::set<std::string> warned_, paths_;
};

}  // namespace

void finish(Registry& registry, Settings& http, Binder& binder, int number) {
  Finisher(registry, binder, number).run(http);
}

}  // namespace seawall::acme
