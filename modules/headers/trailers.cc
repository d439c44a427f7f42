#include "trailers.h"

#include <algorithm>

#include "seawall/server/core_conf.h"

namespace seawall::headers {
namespace {

// The body with its own trailers and ours behind them. It keeps its length to itself: trailers need chunks.
class TrailedBody final : public Reader {
 public:
  TrailedBody(std::unique_ptr<Reader> body, const std::vector<AddedField>& fields, Exchange& x, bool decorated)
      : body_(std::move(body)), fields_(fields), x_(x), decorated_(decorated) {}

  Task<Result<Piece>> read() override { return body_->read(); }

  Headers trailers() override {
    Headers all = body_->trailers();
    for (const AddedField& field : fields_) {
      if (!decorated_ && !field.always) continue;
      add_to_fields(field, x_, all);
      add_to_fields(field, x_, x_.sent_trailers);  // so that the next one can say $sent_trailer_NAME of this one
    }
    return all;
  }

 private:
  std::unique_ptr<Reader> body_;
  const std::vector<AddedField>& fields_;
  Exchange& x_;
  bool decorated_;
};

bool can_carry(const Exchange& x, const Response& response) {
  if (x.request.method == Method::head || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return false;
  if (!may_have_body(response.status)) return false;
  if (x.request.version == Version::http11) return *x.core().chunked_transfer_encoding;
  return x.request.version == Version::http2;
}

}  // namespace

void add_trailers(const std::vector<AddedField>& fields, Exchange& x, Response& response) {
  const bool decorated = is_decorated(response.status);
  const auto applies = [decorated](const AddedField& field) { return decorated || field.always; };
  if (!can_carry(x, response) || std::none_of(fields.begin(), fields.end(), applies)) return;
  response.body = std::make_unique<TrailedBody>(reader_of(std::move(response.body)), fields, x, decorated);
}

}  // namespace seawall::headers
