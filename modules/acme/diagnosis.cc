#include "diagnosis.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "attempt.h"
#include "client.h"
#include "name_check.h"
#include "seawall/http/date.h"

namespace seawall::acme {
namespace {

constexpr std::int64_t kWrongClock = 300;  // seconds

using Findings = std::vector<std::string>;

// What the last attempt has met, by the CA's own kinds of errors (RFC 8555 6.7).
std::string advice_for(const std::string& error) {
  const auto has = [&](const char* words) { return error.find(words) != std::string::npos; };
  if (has("rate") || has("too many"))
    return "wait, and do not ask for the same names again meanwhile; a staging CA serves for trying";
  if (has("CAA")) return "allow the CA in the CAA record of the name";
  if (has("hook")) return "run the hook by hand with the words that the message names";
  if (has("Connection refused") || has("Timeout") || has("timed out")) return "open the port that the CA looks at to everybody";
  if (has("unauthorized") || has("Invalid response") || has("Incorrect TXT"))
    return "see that the name points to this machine alone";
  if (has("NXDOMAIN") || has("no such host") || has("DNS problem")) return "add the name to the DNS";
  if (has("certificate verify") || has("SSL certificate"))
    return "name who signed for the CA's own TLS in ssl_trusted_certificate";
  if (has("No space left") || has("Permission denied") || has("Read-only")) return "see to the folder of state_path";
  return "the log has more";
}

void check_store(const Certificate& certificate, Findings& findings) {
  const std::string& path = certificate.issuer->state_path;
  if (::access(path.c_str(), F_OK) != 0) {
    findings.push_back(path + ": the folder is not there yet: the server makes it when it starts");
    return;
  }
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0)
    findings.push_back(path + ": the folder cannot be written to: give it to the user of the workers");
}

// The CA itself: reachable, and ready to have us.
Json check_ca(const Issuer& issuer, Findings& findings) {
  Stop never;
  Client client(issuer, never);
  try {
    const Client::Answer answer = client.get(issuer.uri);
    const auto date = parse_http_date(answer.http.field("date"));
    if (date && std::abs(*date - std::time(nullptr)) > kWrongClock)
      findings.push_back("the clock of this machine is wrong by " + std::to_string(std::abs(*date - std::time(nullptr))) +
                         " s: set it (ntp), certificates begin and end by it");
    const Json meta = client.directory().value("meta", Json::object());
    if (!text_in(meta, "termsOfService").empty() && !issuer.accepts_terms)
      findings.push_back("the CA's terms (" + text_in(meta, "termsOfService") +
                         ") are not accepted: say accept_terms_of_service in acme_issuer \"" + issuer.name + "\"");
    if (meta.is_object() && meta.value("externalAccountRequired", false) && issuer.eab_kid.empty())
      findings.push_back("the CA wants an account of its own customers: say external_account_key with what it has given you");
    return meta;
  } catch (const std::exception& error) {
    findings.push_back("the CA " + issuer.uri + " cannot be used (" + error.what() + "): " + advice_for(error.what()));
    return Json();
  }
}

std::vector<std::string> authorities_in(const Json& meta) {
  std::vector<std::string> all;
  if (meta.is_object() && meta.contains("caaIdentities") && meta["caaIdentities"].is_array())
    for (const Json& one : meta["caaIdentities"])
      if (one.is_string()) all.push_back(one.get<std::string>());
  return all;
}

void check_name(const Registry& registry, const Issuer& issuer, const std::string& name, const Json& meta, Findings& findings) {
  const std::string host = name.starts_with("*.") ? name.substr(2) : name;
  NameCheck check(host, findings);
  check.check_caa(authorities_in(meta));
  if (issuer.challenge == Challenge::tls_alpn_01) check.check_addresses(registry.tls_port, "the proof of tls-alpn-01");
  if (issuer.challenge != Challenge::http_01) return;
  const std::size_t before = findings.size();
  check.check_addresses(registry.plain_port, "the answer of http-01");
  if (findings.size() == before) check.check_plain_answer(registry.plain_port);
}

void check_challenge(const Registry& registry, const Issuer& issuer, Findings& findings) {
  if (issuer.challenge == Challenge::http_01 && registry.plain_port != 80)
    findings.push_back(
        registry.has_plain
            ? "no server listens on port 80, where CAs look for http-01: add \"listen 80\" (port " +
                  std::to_string(registry.plain_port) + " is looked at instead)"
            : "no server listens without TLS, which http-01 needs: add \"listen 80\", or say \"challenge tls-alpn-01\"");
  if (issuer.challenge == Challenge::tls_alpn_01 && registry.tls_port != 443)
    findings.push_back("no server listens on port 443 with TLS, where CAs look for tls-alpn-01: add \"listen 443 ssl\"");
  if (issuer.challenge == Challenge::dns_01 && ::access(issuer.hook.c_str(), X_OK) != 0)
    findings.push_back("the hook \"" + issuer.hook + "\" is no program that can be run: chmod +x, and look at its path");
}

void check_last_error(const Certificate& certificate, Findings& findings) {
  const Status status = status_of(certificate);
  if (status.error.empty()) return;
  const std::int64_t now = std::time(nullptr);
  findings.push_back("the last try has failed (" + status.error + "): " + advice_for(status.error) + "; the next one is " +
                     (status.next_try > now ? "in " + std::to_string(status.next_try - now) + " s" : "due"));
}

}  // namespace

std::vector<std::string> diagnose(const Registry& registry, const Certificate& certificate) {
  Findings findings;
  const Issuer& issuer = *certificate.issuer;
  check_store(certificate, findings);
  check_challenge(registry, issuer, findings);
  const Json meta = check_ca(issuer, findings);
  for (const std::string& name : certificate.names) check_name(registry, issuer, name, meta, findings);
  check_last_error(certificate, findings);
  return findings;
}

}  // namespace seawall::acme
