// return: answers at once, with a status, a text or a redirect. Compiled at start-up, run on any loop.
#pragma once
#include "instruction.h"

namespace seawall::rewrite {

class Return {
 public:
  // return CODE; return CODE TEXT; return CODE URL; return URL;
  // ConfigError: invalid return code "WORD".
  explicit Return(const Invocation& in);
  Outcome run(Exchange& x, const Progress&) const;

 private:
  Response redirect(Exchange& x) const;

  int status_ = 302;
  bool bare_ = false;  // no text was written, or an empty one
  Template text_;
  Slice literal_;      // the text, shared by all responses, when it has no variables
};

}  // namespace seawall::rewrite
