#include "attempt.h"

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "order.h"
#include "schedule.h"
#include "seawall/log/log.h"

namespace seawall::acme {
namespace {

constexpr int kPatience = 3;  // failures until another CA gets its turns
constexpr std::int64_t kLongestIssuerPause = 300;
// Of a certificate, in first retries, before a CA may want another: it may always want one.
constexpr std::int64_t kLeastAge = 10;
constexpr std::int64_t kAskAgain = 6 * 3600, kAskSoonest = 60, kAskLatest = 24 * 3600;

std::int64_t rest_of(const Status& status, const Issuer& issuer) {
  const auto found = status.rests.find(issuer.name);
  return std::max<std::int64_t>(found == status.rests.end() ? 0 : found->second, *issuer.rests_until);
}

// Who has issued the certificate is asked for the next one, the other of the two every second time after failures in a row, and
// while the one has asked to be left alone.
const Issuer& issuer_for(const Certificate& certificate, const Status& status) {
  const Issuer* first = &certificate.issuer_of(status);
  if (!certificate.fallback) return *first;
  const Issuer* other = first == certificate.issuer ? certificate.fallback : certificate.issuer;
  if (status.failures >= kPatience && status.failures % 2 == 1) std::swap(first, other);
  const std::int64_t now = first->now();
  return rest_of(status, *first) > now && rest_of(status, *other) <= now ? *other : *first;
}

// When one of its CAs may be asked.
std::int64_t end_of_rest(const Certificate& certificate, const Status& status) {
  const std::int64_t first = rest_of(status, *certificate.issuer);
  return certificate.fallback ? std::min(first, rest_of(status, *certificate.fallback)) : first;
}

// Of the present certificate, in seconds; 0: there is none that can be read.
std::int64_t time_left(const Certificate& certificate) {
  try {
    const auto pair = stored_pair(certificate);
    return pair ? CertificateFacts::of(pair->certificate).not_after - certificate.issuer->now() : 0;
  } catch (const AcmeError&) {
    return 0;
  }
}

// From here on a process that dies leaves a failure behind, so that its successor does not begin again at once. A wish becomes a date:
// it is not forgotten when this comes to nothing.
void note_begin(const Certificate& certificate, Status& status) {
  const Issuer& issuer = *certificate.issuer;
  Store& store = certificate.store();
  const std::int64_t now = issuer.now(), first = issuer.first_retry.count();
  ++status.failures;
  status.last_try = now;
  status.error.clear();
  status.error_type.clear();
  const std::int64_t pause = pause_after(status.failures, first, issuer.last_retry.count(), random_chance());
  status.next_try = now + pause_within(pause, time_left(certificate), first);
  const bool wished = !store.version(certificate.wish_file()).empty();
  if (wished) status.renew_at = now;
  store.write(certificate.status_file(), status.text());
  if (wished) store.remove(certificate.wish_file());
}

// A wish does not know what the CA has asked for.
void check_rest(const Issuer& issuer, const Status& status) {
  const std::int64_t left = rest_of(status, issuer) - issuer.now();
  if (left > 0) throw AcmeError("the CA \"" + issuer.name + "\" has asked to be left alone for a while", "rateLimited", left);
}

Status note_success(const Certificate& certificate, const Issuer& issuer, const std::string& account, const Pair& pair) {
  Store& store = certificate.store();
  store.write(certificate.pair_file(), joined(pair));
  const CertificateFacts facts = CertificateFacts::of(pair.certificate);
  Status status;
  status.last_try = issuer.now();
  status.next_try = status.last_try + certificate.issuer->first_retry.count();
  status.issued_by = issuer.name;
  status.issued_to = account;
  status.renew_at = renewal_time(facts.not_before, facts.not_after, random_chance());
  store.write(certificate.status_file(), status.text());
  store.remove(certificate.key_file());
  store.remove(certificate.wish_file());  // it came while we were at it
  return status;
}

// Where even that cannot be written, those who wait hear of it all the same.
void save(const Certificate& certificate, const Status& status) {
  try {
    certificate.store().write(certificate.status_file(), status.text());
  } catch (const AcmeError& error) {
    log(Level::error, std::string("acme: the status of \"") + certificate.title() + "\" cannot be kept: " + error.what());
  }
}

void note_failure(const Certificate& certificate, const std::string& why, Attempted& outcome) {
  Status& status = outcome.status;
  const std::int64_t now = certificate.issuer->now();
  status.error = visible(why);
  if (status.next_try <= now) status.next_try = now + certificate.issuer->first_retry.count();
  save(certificate, status);
  log(Level::error, "acme: no certificate for \"" + certificate.title() + "\": " + status.error + "; next try in " +
                        std::to_string(status.next_try - now) + " s");
}

void note_refusal(const Certificate& certificate, const Issuer& issuer, const AcmeError& error, Attempted& outcome) {
  outcome.status.error_type = error.type;
  if (error.retry_after) {
    const std::int64_t now = issuer.now(), until = now + *error.retry_after;
    outcome.status.rests[issuer.name] = until;
    *issuer.rests_until = std::max<std::int64_t>(*issuer.rests_until, std::min(until, now + kLongestIssuerPause));
    outcome.status.next_try = std::max(outcome.status.next_try, end_of_rest(certificate, outcome.status));
    if (&issuer == certificate.issuer) outcome.issuer_pause = std::min(*error.retry_after, kLongestIssuerPause);
  }
  note_failure(certificate, error.what(), outcome);
}

}  // namespace

double random_chance() {
  unsigned char bytes[4];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return 0.5;
  return static_cast<double>(bytes[0] << 16 | bytes[1] << 8 | bytes[2]) / static_cast<double>(1 << 24);
}

Status status_of(const Certificate& certificate) {
  const auto text = certificate.store().read(certificate.status_file());
  return text ? Status::parse(*text) : Status();
}

// What the store says stays what it is when it cannot be read for a moment.
std::optional<Status> readable_status(const Certificate& certificate, Attempted& outcome) {
  try {
    return status_of(certificate);
  } catch (const AcmeError& error) {
    outcome.status.error = error.what();
    outcome.status.next_try = certificate.issuer->now() + certificate.issuer->first_retry.count();
    log(Level::error, "acme: the status of \"" + certificate.title() + "\" cannot be read: " + error.what());
    return std::nullopt;
  }
}

Attempted attempt(const Certificate& certificate, Tokens& tokens, Stop& stop) {
  Attempted outcome;
  const std::optional<Status> known = readable_status(certificate, outcome);
  if (!known) return outcome;
  const Status& before = *known;
  const Issuer* issuer = certificate.issuer;
  try {
    outcome.status = before;
    issuer = &issuer_for(certificate, before);
    note_begin(certificate, outcome.status);
    check_rest(*issuer, before);
    Order order(certificate, *issuer, tokens, outcome.status, stop);
    Pair pair = order.obtain();
    outcome.status = note_success(certificate, *issuer, order.account(), pair);
    outcome.pair = std::move(pair);
  } catch (const Stopped&) {
    outcome.status.failures = before.failures;  // whoever goes on may begin at once
    outcome.status.next_try = before.next_try;
    outcome.status.error = before.error;
    outcome.status.error_type = before.error_type;
    save(certificate, outcome.status);
  } catch (const AcmeError& error) {
    note_refusal(certificate, *issuer, error, outcome);
  } catch (const std::exception& error) {  // an answer that is not what it should be
    note_failure(certificate, error.what(), outcome);
  }
  return outcome;
}

namespace {

// What the CA says of the certificate that is there; nothing where it says nothing, or may not be asked: the certificate is another
// account's.
std::optional<Client::Answer> renewal_info(Client& client, const Status& status, const std::string& renewal_id) {
  if (renewal_id.empty() || !client.use_known_account() || status.issued_to != client.account()) return std::nullopt;
  const std::string url = client.resource("renewalInfo");
  if (url.empty()) return std::nullopt;
  return client.get(url + "/" + renewal_id);
}

// One that was chosen and still lies in the window stays: asking often must not mean renewing early.
void obey(const Json& window, const CertificateFacts& facts, const Issuer& issuer, Status& status) {
  const auto start = seconds_of_rfc3339(text_in(window, "start")), end = seconds_of_rfc3339(text_in(window, "end"));
  if (!start || !end || (status.renew_at >= *start && status.renew_at <= *end)) return;
  if (status.failures > 0 && status.renew_at <= issuer.now()) return;  // it is being renewed
  const std::int64_t soonest = status.last_try + kLeastAge * issuer.first_retry.count();
  const std::int64_t latest = latest_renewal(facts.not_before, facts.not_after);
  status.renew_at = std::max(std::min(time_in_window(*start, *end, random_chance()), latest), soonest);
}

}  // namespace

Status ask_renewal_time(const Certificate& certificate, const CertificateFacts& facts, Stop& stop) {
  const std::int64_t now = certificate.issuer->now();
  Status status;
  try {
    status = status_of(certificate);
    status.ask_again = now + kAskLatest;
    const Issuer& issuer = certificate.issuer_of(status);
    Client client(issuer, stop);
    if (const auto answer = renewal_info(client, status, facts.renewal_id)) {
      status.ask_again = now + std::clamp(answer->retry_after.value_or(kAskAgain), kAskSoonest, kAskLatest);
      obey(member_of(answer->json, "suggestedWindow"), facts, issuer, status);
    }
    save(certificate, status);
  } catch (const Stopped&) {
    return status;
  } catch (const std::exception& error) {
    const auto* const refusal = dynamic_cast<const AcmeError*>(&error);
    const bool says_when = refusal && refusal->retry_after;
    status.ask_again = now + (says_when ? std::clamp(*refusal->retry_after, kAskSoonest, kAskLatest) : kAskAgain);
    log(Level::warn,
        std::string("acme: the CA does not say when \"") + certificate.title() + "\" is to be renewed: " + error.what());
  }
  return status;
}

}  // namespace seawall::acme
