// ReadAhead: asks a body for its next piece and tells at once whether it is there: what an encoder has to know, which must
// not sit on bytes while the body pauses; or begins a body before its turn (ssi). A piece that is not there yet is read on in the
// exchange's scope.
//
//   if (!ahead.start()) flush();                          // it will take a while
//   Result<Piece> piece = co_await ahead.take();
//
// The ReadAhead may die while a read is under way: that goes on until the exchange cancels it. One loop.
#pragma once
#include <memory>

#include "seawall/async/task.h"
#include "seawall/http/body.h"

namespace seawall {

class Exchange;

class SEAWALL_API ReadAhead {
 public:
  ReadAhead(Exchange& x, std::unique_ptr<Reader> body);
  ~ReadAhead();

  // Begins to read the next piece unless that is under way already. True: take() will not wait.
  bool start();
  // The piece begun; within request_max_time.
  Task<Result<Piece>> take();
  Headers trailers();

 private:
  class Read;
  Exchange& x_;
  std::shared_ptr<Read> read_;  // the task's, too
};

}  // namespace seawall
