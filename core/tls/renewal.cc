#include "seawall/tls/renewal.h"

#include <cstdint>
#include <cstring>

#include "seawall/tls/error.h"

namespace seawall {
namespace {

void put_number(std::uint64_t n, std::string& out) { out.append(reinterpret_cast<const char*>(&n), sizeof n); }

void put_text(const std::string& text, std::string& out) {
  put_number(text.size(), out);
  out += text;
}

[[noreturn]] void fail() { throw TlsError("a renewal is malformed"); }

std::uint64_t take_number(std::string_view& bytes) {
  std::uint64_t n;
  if (bytes.size() < sizeof n) fail();
  std::memcpy(&n, bytes.data(), sizeof n);
  bytes.remove_prefix(sizeof n);
  return n;
}

std::string take_text(std::string_view& bytes) {
  const std::uint64_t size = take_number(bytes);
  if (size > bytes.size()) fail();
  std::string text(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return text;
}

}  // namespace

GivenFiles GivenFiles::read(const std::vector<std::string>& names) {
  std::map<std::string, std::string> texts;
  for (const std::string& name : names) {
    try {
      texts[name] = PemFiles().text(name);
    } catch (const TlsError& error) {
      throw TlsError("cannot load \"" + name + "\": " + error.what());
    }
  }
  return GivenFiles(std::move(texts));
}

std::string GivenFiles::text(const std::string& name) const {
  if (is_pem_data(name)) return PemFiles::text(name);
  const auto found = texts_.find(name);
  if (found == texts_.end()) throw TlsError("it was not given");
  return found->second;
}

std::string encode(const std::vector<Renewal>& renewals) {
  std::string out;
  for (const Renewal& renewal : renewals) {
    put_number(renewal.context, out);
    put_number(renewal.files.texts().size(), out);
    for (const auto& [name, text] : renewal.files.texts()) {
      put_text(name, out);
      put_text(text, out);
    }
  }
  return out;
}

std::vector<Renewal> decode_renewals(std::string_view bytes) {
  std::vector<Renewal> renewals;
  while (!bytes.empty()) {
    const std::uint64_t context = take_number(bytes);
    std::map<std::string, std::string> texts;
    for (std::uint64_t left = take_number(bytes); left > 0; --left) {
      std::string name = take_text(bytes);
      texts[std::move(name)] = take_text(bytes);
    }
    renewals.emplace_back(context, GivenFiles(std::move(texts)));
  }
  return renewals;
}

}  // namespace seawall
