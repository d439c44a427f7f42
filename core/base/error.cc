#include "seawall/base/error.h"

namespace seawall {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "seawall"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::ok: return "success";
      case Errc::timed_out: return "timed out";
      case Errc::cancelled: return "cancelled";
      case Errc::peer_closed: return "connection closed by peer";
      case Errc::peer_reset: return "connection reset by peer";
      case Errc::bad_request: return "malformed request";
      case Errc::uri_too_long: return "request line too long";
      case Errc::header_too_large: return "request header too large";
      case Errc::body_too_large: return "request body too large";
      case Errc::bad_version: return "unsupported protocol version";
      case Errc::not_supported: return "not supported";
      case Errc::tls_failed: return "TLS failure";
      case Errc::plain_on_tls: return "plain HTTP sent to a TLS port";
      case Errc::truncated: return "ended before its announced length";
      case Errc::exhausted: return "resource exhausted";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& seawall_category() noexcept {
  static const Category category;
  return category;
}

std::string describe(const std::error_code& code) {
  if (code.category() == seawall_category()) return code.message();
  return "(" + std::to_string(code.value()) + ": " + code.message() + ")";
}

}  // namespace seawall
