#include "attempt.h"

#include <openssl/rand.h>

#include <ctime>

#include "order.h"
#include "schedule.h"
#include "seawall/log/log.h"

namespace seawall::acme {
namespace {

constexpr int kPatience = 3;  // failures until another CA gets its turns
constexpr std::int64_t kLongestIssuerPause = 300;
constexpr std::int64_t kLeastAge =
    10;  // of a certificate, in first retries, before a CA may want another: it may always want one
constexpr std::int64_t kAskAgain = 6 * 3600, kAskSoonest = 60, kAskLatest = 24 * 3600;

const Issuer& issuer_for(const Certificate& certificate, const Status& status) {
  const bool others_turn = certificate.fallback && status.failures >= kPatience && status.failures % 2 == 1;
  return others_turn ? *certificate.fallback : *certificate.issuer;
}

// The renewal id of the certificate that is there; empty: none.
std::string replaced(const Certificate& certificate) {
  const auto text = certificate.store().read(certificate.pair_file());
  const auto pair = text ? parted(*text) : std::nullopt;
  if (!pair) return {};
  try {
    return CertificateFacts::of(pair->certificate).renewal_id;
  } catch (const AcmeError&) {
    return {};  // it cannot be read, so nothing is replaced
  }
}

// From here on a process that dies leaves a failure behind, so that its successor does not begin again at once.
void note_begin(const Certificate& certificate, Status& status) {
  const Issuer& issuer = *certificate.issuer;
  const std::int64_t now = std::time(nullptr);
  ++status.failures;
  status.last_try = now;
  status.next_try = now + pause_after(status.failures, issuer.first_retry.count(), issuer.last_retry.count(), random_chance());
  certificate.store().remove(certificate.wish_file());
  certificate.store().write(certificate.status_file(), status.text());
}

Status note_success(const Certificate& certificate, const Issuer& issuer, const Pair& pair) {
  Store& store = certificate.store();
  store.write(certificate.pair_file(), joined(pair));
  const CertificateFacts facts = CertificateFacts::of(pair.certificate);
  Status status;
  status.last_try = std::time(nullptr);
  status.next_try = status.last_try + certificate.issuer->first_retry.count();
  status.issuer = issuer.name;
  status.renew_at = renewal_time(facts.not_before, facts.not_after, random_chance());
  store.write(certificate.status_file(), status.text());
  store.remove(certificate.key_file());
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
  status.error = why;
  if (status.next_try <= std::time(nullptr)) status.next_try = std::time(nullptr) + certificate.issuer->first_retry.count();
  save(certificate, status);
  log(Level::error, "acme: no certificate for \"" + certificate.title() + "\": " + why + "; next try in " +
                        std::to_string(status.next_try - std::time(nullptr)) + " s");
}

void note_refusal(const Certificate& certificate, const AcmeError& error, Attempted& outcome) {
  if (error.retry_after) {
    outcome.status.next_try =
        std::max(outcome.status.next_try, static_cast<std::int64_t>(std::time(nullptr)) + *error.retry_after);
    outcome.issuer_pause = std::min(*error.retry_after, kLongestIssuerPause);
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

Attempted attempt(const Certificate& certificate, Tokens& tokens, Stop& stop) {
  Attempted outcome;
  Status before;
  try {
    before = outcome.status = status_of(certificate);
    const Issuer& issuer = issuer_for(certificate, before);
    note_begin(certificate, outcome.status);
    const std::string replaces = replaced(certificate);
    Pair pair = Order(certificate, issuer, tokens, outcome.status, stop).obtain(replaces);
    outcome.status = note_success(certificate, issuer, pair);
    outcome.pair = std::move(pair);
  } catch (const Stopped&) {
    outcome.status.failures = before.failures;  // whoever goes on may begin at once
    outcome.status.next_try = before.next_try;
    save(certificate, outcome.status);
  } catch (const AcmeError& error) {
    note_refusal(certificate, error, outcome);
  } catch (const std::exception& error) {  // an answer that is not what it should be
    note_failure(certificate, error.what(), outcome);
  }
  return outcome;
}

Status ask_renewal_time(const Certificate& certificate, const std::string& renewal_id, Stop& stop) {
  Status status;
  try {
    status = status_of(certificate);
    const std::int64_t now = std::time(nullptr);
    status.ask_again = now + kAskLatest;
    Client client(*certificate.issuer, stop);
    const std::string url = client.resource("renewalInfo");
    if (!url.empty() && !renewal_id.empty()) {
      const Client::Answer answer = client.get(url + "/" + renewal_id);
      const Json window = answer.json.value("suggestedWindow", Json::object());
      const auto start = seconds_of_rfc3339(text_in(window, "start")), end = seconds_of_rfc3339(text_in(window, "end"));
      status.ask_again = now + std::clamp(answer.retry_after.value_or(kAskAgain), kAskSoonest, kAskLatest);
      // One that was chosen and still lies in the window stays: asking often must not mean renewing early.
      if (start && end && (status.renew_at < *start || status.renew_at > *end)) {
        const std::int64_t soonest = status.last_try + kLeastAge * certificate.issuer->first_retry.count();
        status.renew_at = std::max(time_in_window(*start, *end, random_chance()), soonest);
      }
    }
    save(certificate, status);
  } catch (const Stopped&) {
    return status;
  } catch (const std::exception& error) {
    status.ask_again = std::time(nullptr) + kAskAgain;
    log(Level::warn,
        std::string("acme: the CA does not say when \"") + certificate.title() + "\" is to be renewed: " + error.what());
  }
  return status;
}

}  // namespace seawall::acme
