// Issuer: what acme_issuer says of a CA. Made at start-up, read by every thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clock.h"
#include "http.h"
#include "seawall/config/tree.h"
#include "seawall/net/address.h"
#include "store.h"

namespace seawall::acme {

enum class Challenge : std::uint8_t { chosen_for_me, http_01, tls_alpn_01, dns_01 };
const char* name_of(Challenge challenge);

class Issuer {
 public:
  std::string name;
  Place place;
  std::string uri;                    // of the directory
  std::vector<std::string> contacts;  // with their scheme
  bool accepts_terms = false;
  std::string account_key;       // a file, or a type for one that is made; empty: ecdsa
  std::string account_key_text;  // what is in that file: workers may not read it
  std::string state_path;
  Challenge challenge = Challenge::chosen_for_me;
  std::string hook;                        // of dns-01: called with add or remove, the record's name and its value
  std::chrono::milliseconds dns_delay{0};  // from adding the record until the CA is asked to look
  std::string eab_kid, eab_key;            // external account binding; the key in plain bytes
  std::string preferred_chain;
  std::string profile;
  bool profile_required = false;
  std::string fallback;  // the issuer to ask when this one has failed often
  std::chrono::seconds first_retry{60}, last_retry{24 * 3600};
  HttpSettings http;
  std::optional<Address> resolver;  // whom checks ask about names; none: those of the system
  std::shared_ptr<const Clock> clock = std::make_shared<Clock>();
  std::int64_t now() const { return clock->now(); }
  // The CA has asked us to be left alone, whatever the certificate: until when. Any thread.
  std::shared_ptr<std::atomic<std::int64_t>> rests_until = std::make_shared<std::atomic<std::int64_t>>(0);

  std::shared_ptr<Store> store;
  std::unique_ptr<std::mutex> account_mutex = std::make_unique<std::mutex>();  // one registration at a time
};

}  // namespace seawall::acme
