// The secure_link module: $secure_link tells whether a link was made by who knows the secret. Settings are read by every loop.
#include <openssl/crypto.h>

#include <ctime>

#include "seawall/base/base64.h"
#include "seawall/base/text.h"
#include "seawall/module/module.h"
#include "seawall/tls/md5.h"

namespace seawall::secure_link {

class Conf {
 public:
  Setting<Template> link, md5;
  Setting<std::string> secret;
};

class State {
 public:
  std::string expires;  // as $secure_link found it
};

namespace {

// In constant time: how much of a hash is right is nobody's business.
bool equals(const Md5& hash, std::string_view bytes) {
  return bytes.size() == hash.size() && CRYPTO_memcmp(hash.data(), bytes.data(), hash.size()) == 0;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '+' || c == '/') return std::nullopt;
    if (c == '-') c = '+';
    else if (c == '_') c = '/';
  }
  return decode_base64(plain);
}

std::optional<std::string> decode_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string request_uri(const Exchange& x) {
  if (x.request.target.starts_with('/')) return std::string(x.request.target);
  return std::string(x.request.raw_path) + (x.request.has_args ? "?" + std::string(x.request.args) : "");
}

// /PREFIX/HASH/LINK
bool link_by_secret(Exchange& x, const std::string& secret, std::string& out) {
  const std::string uri = request_uri(x);
  const auto hash_at = uri.find('/', 1);
  const auto link_at = hash_at == std::string::npos ? hash_at : uri.find('/', hash_at + 1);
  if (link_at == std::string::npos || link_at - hash_at != 33 || link_at + 1 == uri.size()) return false;
  const std::string link = uri.substr(link_at + 1);
  const auto hash = decode_hex(std::string_view(uri).substr(hash_at + 1, 32));
  if (!hash || !equals(md5_of({link, secret}), *hash)) return false;
  out += link;
  return true;
}

// HASH[,EXPIRES]
bool link_by_md5(Exchange& x, State& state, const Conf& conf, std::string& out) {
  const std::string value = conf.link->eval(x);
  std::string_view hash = value;
  const auto comma = hash.find(',');
  std::optional<std::uint64_t> expires;
  if (comma != std::string_view::npos) {
    expires = parse_decimal(hash.substr(comma + 1));
    if (!expires || *expires == 0 || *expires > INT64_MAX) return false;
    state.expires = hash.substr(comma + 1);
    hash = hash.substr(0, comma);
  }
  const auto bytes = hash.size() <= 24 ? decode_base64url(hash) : std::nullopt;
  if (!bytes || !equals(md5_of({conf.md5->eval(x)}), *bytes)) return false;
  out += expires && static_cast<std::time_t>(*expires) < std::time(nullptr) ? '0' : '1';
  return true;
}

bool secure_link(Exchange& x, std::string_view, const void*, std::string& out);
bool secure_link_expires(Exchange& x, std::string_view, const void*, std::string& out);

void inherit_link(Conf& conf, const Conf& outer) {
  if (conf.secret.is_set()) return;
  conf.link.inherit(outer.link);
  conf.md5.inherit(outer.md5);
}

void inherit_secret(Conf& conf, const Conf& outer) {
  if (conf.link.is_default() && conf.md5.is_default()) conf.secret.inherit(outer.secret);
}

Directive row(Directive directive, void (*inherit)(Conf&, const Conf&)) {
  directive.inherit = [inherit](void* conf, const void* outer) {
    inherit(*static_cast<Conf*>(conf), *static_cast<const Conf*>(outer));
  };
  return directive;
}

}  // namespace

class SecureLink {
 public:
  using Conf = secure_link::Conf;
  using State = secure_link::State;
  static constexpr const char* name = "secure_link";
  static constexpr const char* summary = "links that only who knows a secret can make";
  static inline const Directive directives[] = {
      row(value<Conf>("secure_link", kAllHttp, &Conf::link, "HASH or HASH,EXPIRES, as the request brings them."), inherit_link),
      row(value<Conf>("secure_link_md5", kAllHttp, &Conf::md5, "The text whose MD5 the hash must be."), inherit_link),
      row(text<Conf>("secure_link_secret", kAllHttp, &Conf::secret, "The secret of links of the form /PREFIX/HASH/LINK."),
          inherit_secret),
  };
  static constexpr VariableRow variables[] = {{"secure_link", secure_link}, {"secure_link_expires", secure_link_expires}};
  static void check(Conf& conf, Settings&, Binder&) {
    if (conf.secret.is_set() && (conf.link.is_set() || conf.md5.is_set()))
      throw ConfigError("\"secure_link_secret\" cannot be mixed with \"secure_link\" and \"secure_link_md5\"");
  }
};

namespace {

bool secure_link(Exchange& x, std::string_view, const void*, std::string& out) {
  const Conf& conf = x.conf<SecureLink>();
  if (!conf.secret->empty()) return link_by_secret(x, *conf.secret, out);
  if (conf.link.is_default() || conf.md5.is_default()) return false;
  return link_by_md5(x, x.state<SecureLink>(), conf, out);
}

bool secure_link_expires(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::string& expires = x.state<SecureLink>().expires;
  out += expires;
  return !expires.empty();
}

}  // namespace

}  // namespace seawall::secure_link

using seawall::secure_link::SecureLink;
SEAWALL_MODULE(SecureLink)
