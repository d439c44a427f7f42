// SubrequestBody: what a subrequest answers, as a part of another body. The subrequest begins with the first read() and has
// ended when the last piece is out. One loop.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "seawall/http/body.h"
#include "seawall/http/message.h"
#include "seawall/server/subrequest.h"

namespace seawall {

class SEAWALL_API SubrequestBody final : public Reader {
 public:
  SubrequestBody(Exchange& parent, std::string uri, std::string args = {})
      : subrequest_(parent, std::move(uri), std::move(args)) {}
  Task<Result<Piece>> read() override;
  int status() const { return status_; }  // of the answer; 0 before the first read() and where there is none
  const Location* location() const { return location_; }  // that has answered; null before the first read()
  Exchange& exchange() { return subrequest_.exchange(); }  // until the last piece is out

 private:
  Subrequest subrequest_;  // the first member: it ends what the others belong to
  std::optional<Response> response_;
  std::unique_ptr<Reader> body_;
  bool begun_ = false;
  int status_ = 0;
  const Location* location_ = nullptr;
};

}  // namespace seawall
