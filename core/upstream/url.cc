#include "seawall/upstream/url.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr auto npos = std::string_view::npos;

void parse_unix(UpstreamUrl& url, std::string_view rest, std::string& error) {
  url.is_unix = true;
  const auto colon = rest.find(':');
  url.host = rest.substr(0, colon);
  if (colon != npos) url.uri = rest.substr(colon + 1);
  if (url.host.empty()) error = "no path in the unix domain socket";
  else if (url.host.size() > 107) error = "too long path in the unix domain socket";
}

// "host" or "host:port", "[v6]" or "[v6]:port".
void parse_authority(UpstreamUrl& url, std::string_view text, std::string& error) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == npos) return void(error = "invalid host");
    end = close + 1 < text.size() ? close + 1 : npos;
    if (end != npos && text[end] != ':') return void(error = "invalid host");
  }
  url.host = text.substr(0, end);
  if (url.host.empty() || url.host == "[]") return void(error = "no host");
  if (end == npos) return;
  const auto port = parse_decimal(text.substr(end + 1));
  if (!port || *port < 1 || *port > 65535) return void(error = "invalid port");
  url.port = static_cast<std::uint16_t>(*port);
  url.has_port = true;
}

}  // namespace

UpstreamUrl UpstreamUrl::parse(std::string_view text, std::uint16_t default_port, std::string& error) {
  UpstreamUrl url;
  error.clear();
  if (text.size() >= 5 && equals_ignoring_case(text.substr(0, 5), "unix:")) {
    parse_unix(url, text.substr(5), error);
    return url;
  }
  url.port = default_port;
  const auto uri = std::min(text.find_first_of("/?"), text.size());
  url.uri = text.substr(uri);
  parse_authority(url, text.substr(0, uri), error);
  return url;
}

std::string UpstreamUrl::host_field(std::uint16_t default_port) const {
  if (is_unix) return "localhost";
  if (!has_port || port == default_port) return host;
  return host + ":" + std::to_string(port);
}

}  // namespace seawall
