#include "command.h"

#include <algorithm>
#include <iostream>
#include <thread>

#include "attempt.h"
#include "client.h"
#include "diagnosis.h"
#include "import_certbot.h"
#include "order.h"
#include "schedule.h"
#include "seawall/http/date.h"
#include "seawall/server/worker_folders.h"

namespace seawall::acme {
namespace {

constexpr std::chrono::minutes kPatience{15};  // for a running server to renew
constexpr std::chrono::seconds kHandover{3};   // after a reload, until the new worker has taken over: it looks twice a second

std::string date_of(std::int64_t seconds, std::int64_t now) {
  return seconds <= now ? "now" : http_date(seconds);
}

void list_one(const Certificate& certificate) {
  const Status status = status_of(certificate);
  const auto facts = stored_facts(certificate);
  std::cout << certificate.title() << "\n";
  std::cout << "  issuer      " << (status.issued_by.empty() ? certificate.issuer->name : visible(status.issued_by));
  if (facts) std::cout << " (" << facts->issuer << ")";
  std::cout << "\n  valid until " << (facts ? http_date(facts->not_after) : "there is none yet") << "\n";
  const std::int64_t renew_at = !facts            ? 0
                                : status.renew_at ? status.renew_at
                                                  : renewal_time(facts->not_before, facts->not_after, certificate.chance());
  std::cout << "  next try    " << date_of(std::max(renew_at, status.next_try), certificate.issuer->now()) << "\n";
  if (!status.error.empty()) std::cout << "  last error  " << visible(status.error) << " (" << status.failures << " in a row)\n";
  std::cout << "  kept in     " << certificate.issuer->state_path << "/" << certificate.pair_file() << "\n";
}

int list(const Registry& registry) {
  for (const auto& certificate : registry.certificates) list_one(*certificate);
  if (registry.certificates.empty()) std::cout << "no server of this configuration has a certificate of an ACME issuer\n";
  return 0;
}

// Those with this name; complains when there are none.
std::vector<Certificate*> named(const Registry& registry, const std::string& name) {
  std::vector<Certificate*> found;
  for (const auto& certificate : registry.certificates)
    if (certificate->id == name || std::binary_search(certificate->names.begin(), certificate->names.end(), name))
      found.push_back(certificate.get());
  if (found.empty()) std::cerr << "seawall: no certificate of this configuration is for \"" << name << "\"\n";
  return found;
}

// The folder is the workers', whoever is the first to need it.
void make_state_folder(const Certificate& certificate) {
  make_worker_folders({certificate.issuer->state_path}, worker_folder_owner());
}

// Does a server keep the folder? Its lock is ours for no longer than it takes to see that nobody has it.
bool is_kept(Store& store) {
  const auto until = std::chrono::steady_clock::now() + kHandover;
  while (store.try_lock()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

// The server does it, because it answers the CA; it sees the wish in its store.
int await_renewal(const Certificate& certificate) {
  Store& store = certificate.store();
  make_state_folder(certificate);
  if (!is_kept(store)) {
    std::cerr << "seawall: no server keeps \"" << certificate.issuer->state_path << "\": start it, it asks for what is due\n";
    return 1;
  }
  const std::string before = store.version(certificate.pair_file());
  const Status last = status_of(certificate);
  store.write(certificate.wish_file(), "");
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (store.version(certificate.pair_file()) != before) {
      std::cout << certificate.title() << ": renewed\n";
      return 0;
    }
    const Status now = status_of(certificate);
    const bool tried = store.version(certificate.wish_file()).empty() && now.failures > last.failures;
    if (tried && !now.error.empty()) {  // none: it has not ended
      std::cerr << "seawall: " << certificate.title() << ": " << visible(now.error) << "\n";
      return 1;
    }
  }
  std::cerr << "seawall: " << certificate.title() << ": the server has not answered within 15 minutes\n";
  return 1;
}

int renew(const Registry& registry, const std::string& name) {
  const auto found = named(registry, name);
  int code = found.empty() ? 1 : 0;
  for (const Certificate* certificate : found) code = std::max(code, await_renewal(*certificate));
  return code;
}

const Issuer& issuer_of(const Registry& registry, const Certificate& certificate, const Status& status) {
  if (status.issued_by.empty()) return *certificate.issuer;
  const auto found = registry.issuers.find(status.issued_by);
  if (found == registry.issuers.end())
    throw AcmeError("the certificate is of the issuer \"" + status.issued_by + "\", which the configuration does not have any more");
  return *found->second;
}

// By the account that it was given to; one that was given to another (certbot's) by its own key (RFC 8555 7.6).
void revoke_one(const Registry& registry, const Certificate& certificate) {
  const auto pair = stored_pair(certificate);
  if (!pair) throw AcmeError("there is no certificate for \"" + certificate.title() + "\" yet");
  const Status status = status_of(certificate);
  Stop never;
  Client client(issuer_of(registry, certificate, status), never);
  const bool ours = client.use_known_account() && client.account() == status.issued_to;
  const std::string url = client.resource("revokeCert");
  if (url.empty()) throw AcmeError("the CA revokes nothing");
  const Json payload{{"certificate", base64url(CertificateFacts::of(pair->certificate).der)}};
  if (ours)
    client.post(url, payload);
  else
    client.post_with(key_from(pair->key).get(), url, payload);
  certificate.store().write(certificate.wish_file(), "");
  std::cout << certificate.title() << ": revoked; a server that runs asks for another\n";
}

int revoke(const Registry& registry, const std::string& name) {
  const auto found = named(registry, name);
  int code = found.empty() ? 1 : 0;
  for (const Certificate* certificate : found) {
    try {
      revoke_one(registry, *certificate);
    } catch (const AcmeError& error) {
      std::cerr << "seawall: " << certificate->title() << ": " << error.what() << "\n";
      code = 1;
    }
  }
  return code;
}

int test_one(const Registry& registry, const Certificate& certificate) {
  const std::vector<std::string> findings = diagnose(registry, certificate);
  std::cout << certificate.title() << ": " << (findings.empty() ? "nothing stands in the way" : "") << "\n";
  for (const std::string& finding : findings) std::cout << "  " << finding << "\n";
  return findings.empty() ? 0 : 1;
}

int test(const Registry& registry, const std::vector<std::string>& words) {
  int code = 0;
  if (words.size() == 1) {
    for (const auto& certificate : registry.certificates) code = std::max(code, test_one(registry, *certificate));
    return code;
  }
  const auto found = named(registry, words[1]);
  for (const Certificate* certificate : found) code = std::max(code, test_one(registry, *certificate));
  return found.empty() ? 1 : code;
}

int explain_usage() {
  std::cerr << "seawall: usage: seawall acme list | renew NAME | revoke NAME | import-certbot FOLDER | test [NAME]\n";
  return 1;
}

}  // namespace

int run_command(const Conf& conf, const std::vector<std::string>& words) {
  const auto written = conf.registry ? conf.registry : std::make_shared<Registry>();
  const Registry& registry = *written;
  const auto is = [&](const char* verb, std::size_t count) { return words[0] == verb && words.size() == count; };
  try {
    if (is("list", 1)) return list(registry);
    if (is("renew", 2)) return renew(registry, words[1]);
    if (is("revoke", 2)) return revoke(registry, words[1]);
    if (is("import-certbot", 2)) return import_certbot(registry, words[1]);
    if (is("test", 1) || is("test", 2)) return test(registry, words);
    return explain_usage();
  } catch (const std::exception& error) {
    std::cerr << "seawall: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace seawall::acme
