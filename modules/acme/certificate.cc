#include "certificate.h"

#include <algorithm>

#include "json.h"
#include "seawall/base/hex.h"

namespace seawall::acme {
namespace {

std::int64_t number_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Status Status::parse(const std::string& text) {
  Status status;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return status;
  status.failures = static_cast<int>(std::clamp<std::int64_t>(number_in(json, "failures"), 0, 1000));
  status.next_try = number_in(json, "next_try");
  status.last_try = number_in(json, "last_try");
  status.renew_at = number_in(json, "renew_at");
  status.ask_again = number_in(json, "ask_again");
  status.error = text_in(json, "error");
  status.order = text_in(json, "order");
  status.issuer = text_in(json, "issuer");
  return status;
}

std::string Status::text() const {
  const Json json{{"failures", failures}, {"next_try", next_try}, {"last_try", last_try}, {"error", error},
                  {"order", order},       {"issuer", issuer},     {"renew_at", renew_at}, {"ask_again", ask_again}};
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

}  // namespace seawall::acme
