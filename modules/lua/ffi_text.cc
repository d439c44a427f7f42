// Encodings, digests and clocks of the API. Pure but for the clock; one loop.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <time.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "ffi.h"
#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/net/loop.h"
#include "seawall/tls/md5.h"

using namespace seawall;
using namespace seawall::lua;

namespace {

constexpr char kUpper[] = "0123456789ABCDEF";

// What JavaScript's encodeURIComponent (2) or encodeURI (0) would leave.
bool is_kept(unsigned char c, int type) {
  if (std::isalnum(c)) return true;
  const char* kept = type == 0 ? "-_.~!*'();:@&=+$,/?#[]" : "-_.~!*'()";
  return c && std::strchr(kept, c);
}

void digest(const EVP_MD* kind, const char* text, std::size_t size, unsigned char* out) {
  unsigned length = 0;
  EVP_Digest(text, size, out, &length, kind, nullptr);
}

}  // namespace

SEAWALL_LUA void seawall_lua_escape_uri(const char* text, std::size_t size, int type, const char** out, std::size_t* out_size) {
  std::string& to = Vm::now()->scratch;
  std::string escaped;
  escaped.reserve(size + size / 4);
  for (std::size_t i = 0; i < size; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_kept(c, type)) escaped += text[i];
    else escaped.append({'%', kUpper[c >> 4], kUpper[c & 15]});
  }
  to = std::move(escaped);
  give(to, out, out_size);
}

SEAWALL_LUA void seawall_lua_unescape_uri(const char* text, std::size_t size, const char** out, std::size_t* out_size) {
  std::string plain;
  plain.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] == '%' && i + 2 < size + 0 && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  Vm::now()->scratch = std::move(plain);
  give(Vm::now()->scratch, out, out_size);
}

SEAWALL_LUA void seawall_lua_encode_base64(const char* text, std::size_t size, int pads, int url, const char** out, std::size_t* out_size) {
  std::string coded((size + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()), reinterpret_cast<const unsigned char*>(text),
                                static_cast<int>(size));
  coded.resize(static_cast<std::size_t>(n));
  if (!pads) while (coded.ends_with('=')) coded.pop_back();
  if (url)
    for (char& c : coded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  Vm::now()->scratch = std::move(coded);
  give(Vm::now()->scratch, out, out_size);
}

// 0: a foreign character or an impossible length.
SEAWALL_LUA int seawall_lua_decode_base64(const char* text, std::size_t size, int url, const char** out, std::size_t* out_size) {
  const auto value = [url](char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    if (c == (url ? '-' : '+')) return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
  };
  std::size_t used = 0;
  while (used < size && text[used] != '=') ++used;
  if (used % 4 == 1) return 0;
  std::string plain;
  plain.reserve(used / 4 * 3 + 3);
  unsigned bits = 0;
  for (std::size_t i = 0; i < used; ++i) {
    const int v = value(text[i]);
    if (v < 0) return 0;
    bits = bits << 6 | static_cast<unsigned>(v);
    if (i % 4 == 3) plain.append({static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)});
  }
  if (used % 4 == 2) plain += static_cast<char>(bits >> 4);
  if (used % 4 == 3) plain.append({static_cast<char>(bits >> 10), static_cast<char>(bits >> 2)});
  Vm::now()->scratch = std::move(plain);
  give(Vm::now()->scratch, out, out_size);
  return 1;
}

SEAWALL_LUA void seawall_lua_md5(const char* text, std::size_t size, unsigned char* out) {
  const Md5 hash = md5_of({{text, size}});
  std::copy(hash.begin(), hash.end(), out);
}
SEAWALL_LUA void seawall_lua_sha1(const char* text, std::size_t size, unsigned char* out) { digest(EVP_sha1(), text, size, out); }
SEAWALL_LUA void seawall_lua_hmac_sha1(const char* key, std::size_t key_size, const char* text, std::size_t size, unsigned char* out) {
  unsigned length = 0;
  ::HMAC(EVP_sha1(), key, static_cast<int>(key_size), reinterpret_cast<const unsigned char*>(text), size, out, &length);
}
SEAWALL_LUA unsigned seawall_lua_crc32(const char* text, std::size_t size) {
  return static_cast<unsigned>(::crc32_z(0, reinterpret_cast<const unsigned char*>(text), size));
}

// Seconds since 1970, as of this turn of the loop.
SEAWALL_LUA double seawall_lua_now() {
  static thread_local double at_start = 0;
  static thread_local std::int64_t started = 0;
  const std::int64_t turn = Vm::now()->loop.now();
  if (started == 0 || turn - started > 1'000'000'000) {
    timespec now{}, steady{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    ::clock_gettime(CLOCK_MONOTONIC, &steady);
    const std::int64_t mono = steady.tv_sec * 1'000'000'000LL + steady.tv_nsec;
    at_start = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec - (mono - turn)) / 1e9;
    started = turn;
  }
  const double now = at_start + static_cast<double>(turn - started) / 1e9;
  return static_cast<double>(static_cast<std::int64_t>(now * 1000)) / 1000;
}
SEAWALL_LUA void seawall_lua_update_time() { Vm::now()->loop.scheduler().update_clock(); }

SEAWALL_LUA void seawall_lua_http_time(double seconds, const char** out, std::size_t* size) {
  // Of years with four digits: beyond them gmtime() has no answer.
  constexpr double kFirst = -62167219200, kLast = 253402300799;
  if (!(seconds > kFirst)) seconds = kFirst;
  Vm::now()->scratch = http_date(static_cast<std::int64_t>(seconds < kLast ? seconds : kLast));
  give(Vm::now()->scratch, out, size);
}
// Negative: no date.
SEAWALL_LUA double seawall_lua_parse_http_time(const char* text, std::size_t size) {
  const auto seconds = parse_http_date({text, size});
  return seconds ? static_cast<double>(*seconds) : -1;
}
