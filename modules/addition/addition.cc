// The addition module: bodies of subrequests before and behind a response's. Settings are read by every loop.
#include "seawall/module/module.h"
#include "seawall/server/changed_body.h"
#include "seawall/server/subrequest_body.h"
#include "seawall/server/type_list.h"

namespace seawall::addition {

class Conf {
 public:
  Setting<std::string> before{std::string()}, after{std::string()};
  Setting<TypeList> types{TypeList{"text/html"}};
};

namespace {

// One body after the other. A subrequest is made when its turn has come.
class AddedBody final : public Reader {
 public:
  AddedBody(Exchange& x, std::unique_ptr<Reader> body, const Conf& conf) : x_(x), conf_(conf), body_(std::move(body)) {
    if (!conf.before->empty()) added_ = std::make_unique<SubrequestBody>(x, *conf.before);
  }

  Task<Result<Piece>> read() override {
    Reader& part = added_ ? *added_ : *body_;
    Result<Piece> piece = co_await part.read();
    if (!piece || !piece->last) co_return piece;
    piece->last = !next_part();
    co_return piece;
  }
  Headers trailers() override { return body_->trailers(); }

 private:
  // False: that was the last one.
  bool next_part() {
    if (added_) {
      added_.reset();
      return !body_read_;
    }
    body_read_ = true;
    if (!conf_.after->empty()) added_ = std::make_unique<SubrequestBody>(x_, *conf_.after);
    return added_ != nullptr;
  }

  Exchange& x_;
  const Conf& conf_;
  std::unique_ptr<Reader> body_, added_;
  bool body_read_ = false;
};

bool active(const Conf& conf) { return !conf.before->empty() || !conf.after->empty(); }

Result<void> add(Exchange& x, Response& response, const Conf& conf) {
  if (response.status != 200 || std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) return {};
  if (!conf.types->has(response)) return {};
  response.body = std::make_unique<AddedBody>(x, reader_of(std::move(response.body)), conf);
  body_changes(response);
  return {};
}

}  // namespace

class Addition {
 public:
  using Conf = addition::Conf;
  static constexpr const char* name = "addition";
  static constexpr const char* summary = "what other URIs answer, before and behind a response";
  static inline const Directive directives[] = {
      text<Conf>("add_before_body", kAllHttp, &Conf::before, "The URI whose answer stands before the body; \"\": none."),
      text<Conf>("add_after_body", kAllHttp, &Conf::after, "The URI whose answer stands behind it; \"\": none."),
      types<Conf>("addition_types", kAllHttp, &Conf::types, "In responses of which types besides text/html; * of all."),
  };
  static constexpr Filter filters[] = {filter<Conf, active, add>(FilterStage::addition)};
};

}  // namespace seawall::addition

using seawall::addition::Addition;
SEAWALL_MODULE(Addition)
