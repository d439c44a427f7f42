#include "seawall/server/live_explain.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "seawall/http/h1_response.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/explanation.h"
#include "seawall/server/probe.h"
#include "seawall/server/server_name.h"
#include "seawall/server/takeover.h"
#include "seawall/server/vhost.h"

namespace seawall {

// What the exchange points into. It lives in the exchange's own state, none of which looks at it when that goes.
class LiveExplanation {
 public:
  LiveExplanation(const ConnectionInfo& of, const Endpoint& endpoint) : probe(endpoint), connection(of) {
    probe.trace = &trace;
    probe.is_live = true;
    connection.probe = &probe;
  }
  Trace trace;
  Probe probe;
  ConnectionInfo connection;
};

namespace {

constexpr std::string_view kField = "X-Seawall-Explain";
constexpr std::size_t kShortest = 16;

std::string parse_token(const Invocation& in) {
  const std::string& token = in.arg(0);
  if (token == "off") return {};
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (token.size() < kShortest || !printable)
    throw ConfigError("\"explain_token\" must be at least " + std::to_string(kShortest) + " printable characters, without spaces");
  return token;
}

// Takes as long for every wrong token, of whatever length: who guesses learns nothing from the time.
bool is_same_secret(std::string_view a, std::string_view b) {
  const auto digest = [](std::string_view text, unsigned char* to) {
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), to);
  };
  unsigned char one[SHA256_DIGEST_LENGTH], other[SHA256_DIGEST_LENGTH];
  digest(a, one);
  digest(b, other);
  return CRYPTO_memcmp(one, other, sizeof one) == 0;
}

// As HTTP/1 would say it.
std::string head_of(const Exchange& x, const Response& response) {
  ResponseHeadInfo info;
  info.status = response.status;
  info.server = server_field(x);
  info.keep_alive = x.keep_alive && !response.close;
  info.upgrade = response.status == 101;
  if (may_have_body(response.status)) {
    info.content_length = length_of(response.body);
    info.chunked = !info.content_length && *x.core().chunked_transfer_encoding;
  }
  std::string head;
  append_head(head, info, response.headers);
  head.erase(head.size() - 4);  // the line ends
  return head;
}

const Directive rows[] = {
    directive<ExplainConf, std::string>(
        "explain_token", kHttp | kServer, 1, 1, "token | off", &ExplainConf::token, parse_token,
        "A request with this token in the field X-Seawall-Explain is answered with what `seawall explain` says about it, which shows the "
        "configuration: keep it secret, and send it over TLS. At least 16 characters (ours).", "off"),
};

}  // namespace

const std::span<const Directive> ExplainModule::directives = rows;

bool asks_why(const RequestHead& head, const Vhost& vhost) {
  const std::string& token = *static_cast<const ExplainConf*>(vhost.settings->get(module_number<ExplainModule>))->token;
  if (token.empty()) return false;
  const Field* field = head.headers.find(kField);
  return field && is_same_secret(field->value, token);
}

std::unique_ptr<Exchange> make_explained(const ConnectionInfo& connection, const Endpoint& endpoint, RequestHead&& head, const Vhost& vhost,
                                         Scope* scope) {
  auto live = std::make_unique<LiveExplanation>(connection, endpoint);
  auto x = std::make_unique<Exchange>(live->connection, std::move(head), vhost, scope);
  x->state<ExplainModule>().live = std::move(live);
  return x;
}

void put_explanation(Exchange& x, Outcome& outcome) {
  const Probe* probe = x.connection.probe;
  if (!probe || !probe->is_live || x.client_left) return;
  taken_over(x).reset();
  std::string text(x.request.request_line);
  const auto* response = std::get_if<Response>(&outcome);
  text += "\n" + explanation_of(*probe->endpoint, *probe->trace, response ? head_of(x, *response) : std::string());
  Response explained(200, Slice::from(std::move(text)));
  explained.headers.add_view("Content-Type", "text/plain; charset=utf-8", FieldId::content_type);
  explained.headers.set("Cache-Control", "no-store");
  explained.headers.set("X-Content-Type-Options", "nosniff");
  outcome = std::move(explained);
  x.aborted = false;
}

}  // namespace seawall
