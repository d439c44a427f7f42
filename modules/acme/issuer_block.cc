// acme_issuer NAME { ... }: nginx's words for a CA, and ours.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "conf.h"
#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/tls/error.h"
#include "seawall/tls/pem.h"

namespace seawall::acme {
namespace {

using Words = std::vector<std::string>;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file || text.empty()) throw ConfigError("cannot read \"" + path + "\"");
  return text;
}

bool on_or_off(const std::string& word, const char* name) {
  if (word != "on" && word != "off") throw_invalid_value(word, name);
  return word == "on";
}

std::chrono::seconds pause_of(const std::string& word) {
  const auto time = time_of(word);
  if (!time || time->count() < 1000) throw_invalid_value(word, "retry_interval");
  return std::chrono::duration_cast<std::chrono::seconds>(*time);
}

// "mailto:" is what nginx adds, too.
std::string contact_of(const std::string& word) {
  return word.find(':') == std::string::npos ? "mailto:" + word : word;
}

void set_uri(Issuer& issuer, const Words& words, const Invocation& in) {
  issuer.uri = words[0];
  if (issuer.uri.starts_with("https://")) return;
  if (!issuer.uri.starts_with("http://")) throw ConfigError("invalid uri \"" + issuer.uri + "\"");
  issuer.http.may_be_plain = true;
  in.warn("the CA \"" + issuer.uri + "\" is asked without TLS");
}

void check_key(const std::string& pem) {
  try {
    key_from(pem);
  } catch (const AcmeError& error) {
    throw ConfigError("invalid \"account_key\": " + std::string(error.what()));
  }
}

void set_account_key(Issuer& issuer, const Words& words, const Invocation& in) {
  try {
    KeyType::parse(words[0]);
    issuer.account_key = words[0];
  } catch (const AcmeError&) {  // no type, so a file
    issuer.account_key = in.conf_prefixed(words[0]);
    issuer.account_key_text = contents(issuer.account_key);
    check_key(issuer.account_key_text);
  }
}

// An empty text would mean the system's authorities.
void set_authorities(Issuer& issuer, const Words& words, const Invocation& in) {
  issuer.http.authorities = contents(in.conf_prefixed(words[0]));
  try {
    if (parse_authorities(issuer.http.authorities).empty()) throw ConfigError("no certificate in \"" + words[0] + "\"");
  } catch (const TlsError& error) {
    throw ConfigError("cannot load certificate \"" + words[0] + "\": " + error.what());
  }
}

// Whom checks ask.
void set_resolver(Issuer& issuer, const Words& words, const Invocation&) {
  issuer.resolver = Address::parse(words[0], 53);
  if (!issuer.resolver || issuer.resolver->is_unix()) throw_invalid_value(words[0], "resolver");
}

void set_challenge(Issuer& issuer, const Words& words, const Invocation&) {
  for (const Challenge one : {Challenge::chosen_for_me, Challenge::http_01, Challenge::tls_alpn_01, Challenge::dns_01})
    if (const std::string name = name_of(one); words[0] == name || words[0] == name.substr(0, name.rfind("-01"))) {
      issuer.challenge = one;
      return;
    }
  throw_invalid_value(words[0], "challenge");
}

void set_binding(Issuer& issuer, const Words& words, const Invocation& in) {
  issuer.eab_kid = words[0];
  const bool given = is_pem_data(words[1]);
  const std::string text = given ? words[1].substr(5) : contents(in.conf_prefixed(words[1]));
  const auto end = text.find_last_not_of(" \t\r\n=");
  try {
    issuer.eab_key = from_base64url(text.substr(0, end == std::string::npos ? 0 : end + 1));
  } catch (const AcmeError& error) {
    throw ConfigError("invalid \"external_account_key\": " + std::string(error.what()));
  }
  if (issuer.eab_key.empty()) throw ConfigError("\"external_account_key\" is empty");
}

void set_state_path(Issuer& issuer, const Words& words, const Invocation& in) {
  if (words[0] == "off") throw ConfigError("\"state_path off\" is not supported yet");
  issuer.state_path = in.prefixed(words[0]);
}

void set_profile(Issuer& issuer, const Words& words, const Invocation&) {
  issuer.profile = words[0];
  if (words.size() < 2) return;
  if (words[1] != "require") throw ConfigError("invalid parameter \"" + words[1] + "\"");
  issuer.profile_required = true;
}

void set_retries(Issuer& issuer, const Words& words, const Invocation&) {
  issuer.first_retry = pause_of(words[0]);
  issuer.last_retry = words.size() > 1 ? pause_of(words[1]) : std::max(issuer.last_retry, issuer.first_retry);
}

void set_dns_delay(Issuer& issuer, const Words& words, const Invocation&) {
  const auto time = time_of(words[0]);
  if (!time || *time > std::chrono::hours(1)) throw_invalid_value(words[0], "dns_delay");
  issuer.dns_delay = *time;
}

struct Word {
  const char* name;
  std::size_t min, max;
  void (*set)(Issuer&, const Words&, const Invocation&);
};
constexpr Word kWords[] = {
    {"uri", 1, 1, set_uri},
    {"account_key", 1, 1, set_account_key},
    {"challenge", 1, 1, set_challenge},
    {"contact", 1, 1,
     [](Issuer& issuer, const Words& words, const Invocation&) { issuer.contacts.push_back(contact_of(words[0])); }},
    {"external_account_key", 2, 2, set_binding},
    {"preferred_chain", 1, 1, [](Issuer& issuer, const Words& words, const Invocation&) { issuer.preferred_chain = words[0]; }},
    {"profile", 1, 2, set_profile},
    {"ssl_trusted_certificate", 1, 1, set_authorities},
    {"ssl_verify", 1, 1,
     [](Issuer& issuer, const Words& words, const Invocation&) { issuer.http.verify = on_or_off(words[0], "ssl_verify"); }},
    {"state_path", 1, 1, set_state_path},
    {"accept_terms_of_service", 0, 0, [](Issuer& issuer, const Words&, const Invocation&) { issuer.accepts_terms = true; }},
    {"hook", 1, 1, [](Issuer& issuer, const Words& words, const Invocation& in) { issuer.hook = in.prefixed(words[0]); }},
    {"dns_delay", 1, 1, set_dns_delay},
    {"resolver", 1, 1, set_resolver},
    {"retry_interval", 1, 2, set_retries},
    {"fallback", 1, 1, [](Issuer& issuer, const Words& words, const Invocation&) { issuer.fallback = words[0]; }},
};

void apply(const Node& node, Issuer& issuer, const Invocation& in, std::vector<std::string>& seen) {
  const auto* const word =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& one) { return node.name == one.name; });
  if (word == std::end(kWords)) throw ConfigError("unknown directive \"" + node.name + "\"");
  if (node.is_block) throw ConfigError("directive \"" + node.name + "\" is not terminated by \";\"");
  if (node.args.size() < word->min || node.args.size() > word->max)
    throw ConfigError("invalid number of arguments in \"" + node.name + "\" directive");
  const bool many = node.name == "contact";
  if (!many && std::find(seen.begin(), seen.end(), node.name) != seen.end()) throw_duplicate(word->name);
  seen.push_back(node.name);
  word->set(issuer, node.args, in);
}

}  // namespace

void open_issuer(Conf& conf, const Invocation& in) {
  Registry& registry = registry_of(conf, in);
  auto issuer = std::make_unique<Issuer>();
  issuer->name = in.arg(0);
  issuer->place = in.node.place;
  std::vector<std::string> seen;
  for (const Node& node : in.node.children) placed(node.place, [&] { apply(node, *issuer, in, seen); });
  if (issuer->uri.empty()) throw ConfigError("\"uri\" is not set for \"acme_issuer\"");
  if (issuer->state_path.empty()) issuer->state_path = in.prefixed("acme/" + issuer->name);
  if (issuer->challenge == Challenge::dns_01 && issuer->hook.empty())
    throw ConfigError("\"challenge dns-01\" needs a \"hook\"");
  if (!registry.issuers.try_emplace(issuer->name, std::move(issuer)).second)
    throw ConfigError("duplicate acme_issuer \"" + in.arg(0) + "\"");
}

}  // namespace seawall::acme
