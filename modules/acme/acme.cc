// The acme module: certificates from a CA that speaks ACME (RFC 8555), got and renewed by the server itself. Settings are read
// by every loop; the first one keeps the certificates (keeper.h).
#include "answers.h"
#include "command.h"
#include "conf.h"
#include "keeper.h"
#include "probe_token.h"
#include "seawall/module/command.h"
#include "seawall/module/module.h"
#include "seawall/server/https_redirect.h"

namespace seawall::acme {

class Acme {
 public:
  using Conf = acme::Conf;
  class LoopState {
   public:
    LoopState(Loop& loop, const Conf& main) {
      if (main.registry) keeper_ = std::make_unique<Keeper>(loop, *main.registry);
    }

   private:
    std::unique_ptr<Keeper> keeper_;
  };
  static constexpr const char* name = "acme";
  static constexpr const char* summary = "certificates from a CA, got and renewed by the server";
  static const std::span<const Directive> directives;
  static const Step steps[1];
  static const VariableRow variables[2];
};

namespace {

bool may_be_asked(const Conf& conf) {
  return conf.registry && !conf.registry->certificates.empty();
}

// Before whatever the servers say of the path: a redirect, access rules, a catch-all. A token that is not ours may be another
// client's.
Outcome answer_challenge(Exchange& x, const Conf& conf) {
  if (!x.uri.starts_with(kAcmePath) || x.parent) return Next{};
  if (x.method != Method::get && x.method != Method::head) return Next{};
  const std::string_view token = std::string_view(x.uri).substr(kAcmePath.size());
  const auto answer = token == kProbeToken ? std::string(kProbeAnswer) : answer_to(*conf.registry, token);
  if (!answer) return Next{};
  Response response(200, Slice::copy(*answer));
  response.headers.add_view("Content-Type", "application/octet-stream", FieldId::content_type);
  return response;
}

const Directive rows[] = {
    custom<Conf>("acme", kHttp | kServer, 1, 2, "on | off | issuer [email]", apply_automatic,
                 "Every TLS server without ssl_certificate gets one for its names: of the named issuer, of the only one there "
                 "is, else of "
                 "Let's Encrypt, whose terms are accepted with it (ours).",
                 inherit_registry, "off"),
    block<Conf>("acme_issuer", kHttp, 1, 1, open_issuer, "A CA; what its block may say is below.", inherit_registry),
    custom<Conf>("acme_certificate", kServer, 1, kMany, "issuer [name ...] [key=ecdsa[:bits] | rsa[:bits]]", apply_wanted,
                 "This server's certificate: for these names, else for those of server_name.", inherit_registry),
    choice<Conf, Pending>("acme_pending", kHttp | kServer, &Conf::pending,
                          {{"self_signed", Pending::self_signed}, {"reject", Pending::reject}},
                          "What clients get until there is a certificate: a self-signed one, or no handshake (ours)."),
};

// Only words: what they would stand for is given to the server itself (conf.cc).
bool get_nothing(Exchange&, std::string_view, const void*, std::string&) {
  return false;
}

}  // namespace

const VariableRow Acme::variables[] = {{"acme_certificate", get_nothing}, {"acme_certificate_key", get_nothing}};
const std::span<const Directive> Acme::directives = rows;
const Step Acme::steps[] = {step<Conf, may_be_asked, answer_challenge>(Phase::post_read)};

Registry& registry_of(Conf& conf, const Invocation& in) {
  Settings* main = &in.settings;
  Settings* http = main;
  for (; main->outer; main = main->outer) http = main;
  Conf& outermost = *static_cast<Conf*>(in.binder.own(*main, module_number<Acme>));
  if (!outermost.registry) {
    outermost.registry = std::make_shared<Registry>();
    in.binder.source().find("redirect_https");  // loads it while settings are still made
    in.binder.at_end(
        [registry = outermost.registry, http, &binder = in.binder] { finish(*registry, *http, binder, module_number<Acme>); });
  }
  conf.registry = outermost.registry;
  return *outermost.registry;
}

}  // namespace seawall::acme

using seawall::acme::Acme;
SEAWALL_MODULE(Acme)
SEAWALL_COMMAND(Acme, seawall::acme::run_command)
