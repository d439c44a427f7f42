#include "diagnosis.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "attempt.h"
#include "client.h"
#include "name_check.h"
#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/server/worker_folders.h"

namespace seawall::acme {
namespace {

constexpr std::int64_t kWrongClock = 300;  // seconds

using Findings = std::vector<std::string>;

struct Advice {
  const char* met;  // the CA's kind of error (RFC 8555 6.7), or words of the message
  const char* advice;
};
constexpr Advice kByType[] = {
    {"rateLimited", "wait, and do not ask for the same names again meanwhile; a staging CA serves for trying"},
    {"caa", "allow the CA in the CAA record of the name"},
    {"connection", "open the port that the CA looks at to everybody"},
    {"dns", "add the name to the DNS, with an address of this machine"},
    {"unauthorized", "see that the name points to this machine alone"},
    {"incorrectResponse", "see that the name points to this machine alone"},
    {"tls", "see that port 443 of the name is this server's, and no proxy ends TLS in front of it"},
    {"rejectedIdentifier", "the CA gives no certificate for this name: take another name, or another CA"},
    {"userActionRequired", "visit the address that the message names, and agree"},
    {"externalAccountRequired", "say external_account_key with what the CA has given you"},
    {"serverInternal", "it is the CA's own trouble: wait, or name another one as \"fallback\""},
};
constexpr Advice kByWords[] = {
    {"hook", "run the hook by hand with the words that the message names"},
    {"No space left", "make room on the disk of state_path"},
    {"Permission denied", "give the folder of state_path to the user of the workers"},
    {"Read-only", "let state_path be a folder that can be written to"},
    {"SSL certificate", "name who signed for the CA's own TLS in ssl_trusted_certificate, and look at the clock"},
    {"Could not resolve", "look at the host in \"uri\", and at /etc/resolv.conf"},
    {"asking ", "let this machine reach the CA: a firewall, a proxy or the network is in between"},
};

// What the last attempt has met, by the CA's kind of error, else by our own words.
std::string advice_for(const std::string& type, const std::string& error) {
  for (const Advice& one : kByType)
    if (type == one.met) return one.advice;
  for (const Advice& one : kByWords)
    if (error.find(one.met) != std::string::npos) return one.advice;
  return "the log has more";
}

// The first file there that the workers do not own, and so cannot read: copied by hand, or by another user's server. Empty: none.
std::string foreign_file(const Certificate& certificate) {
  const uid_t owner = worker_folder_owner() == static_cast<uid_t>(-1) ? ::geteuid() : worker_folder_owner();
  for (const std::string& name : certificate.store().names()) {
    const std::string path = certificate.issuer->state_path + "/" + name;
    struct stat file;
    if (::lstat(path.c_str(), &file) == 0 && file.st_uid != owner) return path;
  }
  return {};
}

// Root, who asks as a rule, may write anywhere; the workers may not.
bool workers_may_write(const std::string& path) {
  if (::geteuid() != 0) return ::access(path.c_str(), R_OK | W_OK | X_OK) == 0;
  const uid_t owner = worker_folder_owner() == static_cast<uid_t>(-1) ? 0 : worker_folder_owner();
  struct stat folder;
  return owner == 0 || (::stat(path.c_str(), &folder) == 0 && folder.st_uid == owner && (folder.st_mode & S_IRWXU) == S_IRWXU);
}

void check_store(const Certificate& certificate, Findings& findings) {
  const std::string& path = certificate.issuer->state_path;
  if (::access(path.c_str(), F_OK) != 0)
    findings.push_back(path + ": the folder is not there yet: the server makes it when it starts");
  else if (!workers_may_write(path))
    findings.push_back(path + ": the folder cannot be written to: give it to the user of the workers");
  else if (const std::string foreign = foreign_file(certificate); !foreign.empty())
    findings.push_back(foreign + ": the file is another user's: give it to the user of the workers (chown)");
}

// Before the CA's TLS is judged by the clock: a wrong one makes that fail, too.
void check_clock(const Issuer& issuer, Findings& findings) {
  HttpSettings settings = issuer.http;
  settings.verify = false;  // nothing is sent, and only the date is read
  Stop never;
  try {
    const auto date = parse_http_date(Http(settings, never).head(issuer.uri).field("date"));
    const std::int64_t wrong = date ? std::abs(*date - issuer.now()) : 0;
    if (wrong > kWrongClock)
      findings.push_back("the clock of this machine is wrong by " + std::to_string(wrong) +
                         " s: set it (ntp), certificates begin and end by it");
  } catch (const AcmeError&) {  // check_ca() says why
  }
}

// The CA itself: reachable, and ready to have us.
Json check_ca(const Issuer& issuer, Findings& findings) {
  Stop never;
  Client client(issuer, never);
  try {
    const Json meta = member_of(client.directory(), "meta");
    if (const std::string terms = text_in(meta, "termsOfService"); !terms.empty() && !issuer.accepts_terms)
      findings.push_back("the CA's terms (" + visible(terms) + ") are not accepted: say accept_terms_of_service in acme_issuer \"" +
                         issuer.name + "\"");
    if (flag_in(meta, "externalAccountRequired") && issuer.eab_kid.empty())
      findings.push_back("the CA wants an account of its own customers: say external_account_key with what it has given you");
    return meta;
  } catch (const AcmeError& error) {
    findings.push_back("the CA " + issuer.uri + " cannot be used (" + error.what() + "): " + advice_for(error.type, error.what()));
    return Json();
  }
}

std::vector<std::string> authorities_in(const Json& meta) {
  std::vector<std::string> all;
  for (const Json& one : member_of(meta, "caaIdentities"))
    if (one.is_string()) all.push_back(lower(one.get<std::string>()));
  return all;
}

void check_name(const Registry& registry, const Issuer& issuer, const std::string& name, const Json& meta, Findings& findings) {
  NameCheck check(name, issuer.resolver, findings);
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
  const std::int64_t now = certificate.issuer->now();
  findings.push_back("the last try has failed (" + visible(status.error) + "): " + advice_for(status.error_type, status.error) +
                     "; the next one is " +
                     (status.next_try > now ? "in " + std::to_string(status.next_try - now) + " s" : "due"));
}

}  // namespace

std::vector<std::string> diagnose(const Registry& registry, const Certificate& certificate) {
  Findings findings;
  const Issuer& issuer = *certificate.issuer;
  check_store(certificate, findings);
  check_challenge(registry, issuer, findings);
  check_clock(issuer, findings);
  const Json meta = check_ca(issuer, findings);
  for (const std::string& name : certificate.names) check_name(registry, issuer, name, meta, findings);
  check_last_error(certificate, findings);
  return findings;
}

}  // namespace seawall::acme
