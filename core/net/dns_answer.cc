#include "seawall/net/dns_answer.h"

#define CARES_NO_DEPRECATED  // Debian 12 has nothing newer
#include <ares.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace seawall {
namespace {

constexpr std::size_t kHead = 12, kRecordHead = 10, kServiceHead = 6;
constexpr int kInternet = 1;

// A message with a place in it. What lies behind its end is nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view message) : message_(message) {}
  std::size_t at = 0;

  bool has(std::size_t n) const { return n <= message_.size() - at; }
  int number16() {
    const int high = static_cast<unsigned char>(message_[at]), low = static_cast<unsigned char>(message_[at + 1]);
    at += 2;
    return high << 8 | low;
  }
  std::int64_t number32() {
    const std::int64_t high = number16();
    return high << 16 | number16();
  }
  // The name here, which may go on elsewhere in the message; the place is behind it then.
  std::optional<std::string> name() {
    const auto* const all = reinterpret_cast<const unsigned char*>(message_.data());
    char* text = nullptr;
    long length = 0;
    if (ares_expand_name(all + at, all, static_cast<int>(message_.size()), &text, &length) != ARES_SUCCESS) return std::nullopt;
    const std::unique_ptr<char, decltype(&ares_free_string)> owner(text, [](void* memory) { ares_free_string(memory); });
    at += static_cast<std::size_t>(length);
    return std::string(text);
  }
  std::string_view bytes(std::size_t n) const { return message_.substr(at, n); }

 private:
  const std::string_view message_;
};

// The record's data, `size` bytes from here. False: they are not what its type says.
bool take_data(DnsAnswer& answer, Cursor data, DnsType type, std::size_t size) {
  if (type == DnsType::a || type == DnsType::aaaa) {
    if (size != (type == DnsType::a ? 4 : 16)) return false;
    answer.addresses.push_back(*Address::from_bytes(data.bytes(size), 0));
    return true;
  }
  ServiceRecord service;
  if (type == DnsType::srv) {
    if (size <= kServiceHead) return false;
    service.priority = static_cast<std::uint16_t>(data.number16());
    service.weight = static_cast<std::uint16_t>(data.number16());
    service.port = static_cast<std::uint16_t>(data.number16());
  }
  const std::optional<std::string> name = data.name();
  if (!name) return false;
  if (type == DnsType::cname) {
    answer.alias = *name;
  } else {
    service.host = *name;
    answer.services.push_back(std::move(service));
  }
  return true;
}

}  // namespace

Result<DnsAnswer> DnsAnswer::parse(std::string_view message, DnsType wanted) {
  Cursor cursor(message);
  if (!cursor.has(kHead)) return Errc::bad_request;
  cursor.at = 4;
  const int questions = cursor.number16(), records = cursor.number16();
  cursor.at = kHead;
  for (int i = 0; i < questions; ++i) {
    if (!cursor.has(1) || !cursor.name() || !cursor.has(4)) return Errc::bad_request;
    cursor.at += 4;
  }
  DnsAnswer answer;
  for (int i = 0; i < records; ++i) {
    if (!cursor.has(1) || !cursor.name() || !cursor.has(kRecordHead)) return Errc::bad_request;
    const auto type = static_cast<DnsType>(cursor.number16());
    const int of = cursor.number16();
    const std::int64_t ttl = cursor.number32();
    const auto size = static_cast<std::size_t>(cursor.number16());
    if (!cursor.has(size)) return Errc::bad_request;
    if (of == kInternet && (type == wanted || type == DnsType::cname)) {
      if (!take_data(answer, cursor, type, size)) return Errc::bad_request;
      answer.ttl = std::min(answer.ttl, ttl > INT32_MAX ? 0 : ttl);  // RFC 2181, 8
    }
    cursor.at += size;
  }
  return answer;
}

}  // namespace seawall
