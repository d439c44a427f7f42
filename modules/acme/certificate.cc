#include "certificate.h"

#include <algorithm>

#include "json.h"
#include "seawall/base/hex.h"

namespace seawall::acme {
namespace {

constexpr std::int64_t kLatest = 253'402'300'799;  // the end of the year 9999

std::int64_t number_in(const Json& json, const char* name) {
  const Json& found = member_of(json, name);
  return found.is_number_integer() ? std::clamp<std::int64_t>(found.get<std::int64_t>(), 0, kLatest) : 0;
}

}  // namespace

Status Status::parse(const std::string& text) {
  Status status;
  const Json json = parse_json(text);
  status.failures = static_cast<int>(std::clamp<std::int64_t>(number_in(json, "failures"), 0, 1000));
  status.next_try = number_in(json, "next_try");
  status.last_try = number_in(json, "last_try");
  status.renew_at = number_in(json, "renew_at");
  status.ask_again = number_in(json, "ask_again");
  const Json& rests = member_of(json, "rests");
  if (rests.is_object())
    for (const auto& [name, until] : rests.items()) status.rests[name] = number_in(rests, name.c_str());
  status.error = text_in(json, "error");
  status.error_type = text_in(json, "error_type");
  status.order = text_in(json, "order");
  status.order_issuer = text_in(json, "order_issuer");
  status.issued_by = text_in(json, "issued_by");
  status.issued_to = text_in(json, "issued_to");
  return status;
}

std::string Status::text() const {
  const Json json{{"failures", failures},         {"next_try", next_try},   {"last_try", last_try},   {"error", error},
                  {"error_type", error_type},     {"order", order},         {"order_issuer", order_issuer},
                  {"issued_by", issued_by},       {"issued_to", issued_to}, {"renew_at", renew_at},
                  {"ask_again", ask_again},       {"rests", rests}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Certificate::title() const {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

// Readable, and different for different names.
std::string id_of(const std::vector<std::string>& names, KeyType type) {
  std::string all = type.text();
  for (const std::string& name : names) all += " " + name;
  std::string first = names.front().substr(0, 80);
  if (first.starts_with("*.")) first = "_" + first.substr(1);
  return first + "-" + hex_of(sha256(all)).substr(0, 8);
}

std::string joined(const Pair& pair) {
  return pair.key + pair.certificate;
}

std::optional<Pair> parted(const std::string& text) {
  const auto begin = text.find("-----BEGIN CERTIFICATE-----");
  if (begin == std::string::npos || text.find("PRIVATE KEY-----") > begin) return std::nullopt;
  Pair pair;
  pair.key = text.substr(0, begin);
  pair.certificate = text.substr(begin);
  return pair;
}

std::optional<Pair> stored_pair(const Certificate& certificate) {
  const auto text = certificate.store().read(certificate.pair_file());
  return text ? parted(*text) : std::nullopt;
}

std::optional<CertificateFacts> stored_facts(const Certificate& certificate) {
  const auto pair = stored_pair(certificate);
  if (!pair) return std::nullopt;
  return CertificateFacts::of(pair->certificate);
}

}  // namespace seawall::acme
