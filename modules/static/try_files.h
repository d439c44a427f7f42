// try_files: the first of several names that is there becomes the request's URI; when none is, the last word says what
// answers. Compiled at start-up, run on any loop.
#pragma once
#include <string>
#include <vector>

#include "seawall/module/module.h"

namespace seawall::static_files {

class TryFiles {
 public:
  TryFiles() = default;
  // ConfigError: invalid code "=WORD".
  explicit TryFiles(const Invocation& in);

  Outcome run(Exchange& x) const;

 private:
  struct Candidate {
    Template name;
    bool folder = false;  // written with a final slash: only a folder will do
  };
  Outcome fall_back(Exchange& x) const;

  std::vector<Candidate> candidates_;
  int status_ = 0;     // =CODE
  Template otherwise_; // else: @NAME or a URI
};

}  // namespace seawall::static_files
