// Feed: reports once a second as server-sent events (HTML, 9.2), until the client leaves or the server drains: the page comes
// back by itself, to the next generation. One loop.
#pragma once
#include "seawall/module/module.h"

namespace seawall::status {

class Feed final : public Reader {
 public:
  explicit Feed(Exchange& x) : x_(x) {}
  Task<Result<Piece>> read() override;

 private:
  Exchange& x_;
  bool begun_ = false;
};

}  // namespace seawall::status
