// rewrite REGEX REPLACEMENT [FLAG]: another URI for requests whose URI matches, or a redirect. Compiled at start-up, run on
// any loop.
#pragma once
#include <vector>

#include "instruction.h"
#include "seawall/config/regex.h"

namespace seawall::rewrite {

// A text with variables in which captures can be told from all else: in arguments they are escaped, as they come out of a decoded
// URI, and in a Location.
class Replacement {
 public:
  Replacement() = default;
  Replacement(std::string_view text, const Invocation& in);
  std::string plain(Exchange& x) const { return whole_.eval(x); }
  std::string escaped(Exchange& x) const;
  // What Location says: what variables bring in escapes is written out up to its first '?', captures are escaped where the
  // request's path had escapes; both as in nginx.
  std::string for_location(Exchange& x) const;
  bool empty() const { return whole_.empty(); }

 private:
  class Piece {
   public:
    Template text;
    int capture = -1;  // of the regex; -1: `text`
  };
  Template whole_;
  std::vector<Piece> pieces_;
};

class Replace {
 public:
  // ConfigError: invalid parameter "FLAG", what Regex::compile throws.
  explicit Replace(const Invocation& in);
  Outcome run(Exchange& x, Progress& progress) const;

 private:
  Outcome redirect(Exchange& x) const;
  Outcome move(Exchange& x, Progress& progress) const;
  std::string new_args(Exchange& x) const;

  std::shared_ptr<const Regex> regex_;
  Replacement path_, args_;
  bool has_args_ = false;     // a '?' was written
  bool keeps_args_ = true;    // no '?' at the end: the request's own follow
  bool last_ = false, break_ = false;
  int status_ = 0;            // of a redirect
};

}  // namespace seawall::rewrite
