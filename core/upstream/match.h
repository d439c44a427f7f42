// Match: what a health check wants of an answer (block `match`): its status, fields, the beginning of its body, and variables. Made at
// start-up, read by the first loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/config/directive.h"
#include "seawall/config/regex.h"
#include "seawall/config/template.h"

namespace seawall {

class Exchange;
class UpstreamHead;

class Match {
 public:
  // How much of a body is looked at.
  static constexpr std::size_t kLongestBody = 256 * 1024;

  Match() = default;                     // a status of 200 to 399
  explicit Match(const Invocation& in);  // match NAME { ... }; ConfigError

  std::string name;
  bool wants_body() const { return !bodies_.empty(); }
  // What is wrong: "checking status code"; empty: nothing.
  std::string fault(Exchange& x, const UpstreamHead& head, std::string_view body) const;

 private:
  // NAME [= | != | ~ | !~ VALUE], or ! NAME.
  class Field {
   public:
    enum class Test { there, absent, equal, other, like, unlike };
    std::string name, value;
    Test test = Test::there;
    std::shared_ptr<const Regex> regex;
  };
  class Body {
   public:
    std::shared_ptr<const Regex> regex;
    bool unlike = false;
  };
  void add(const Node& node, const Invocation& in);
  void add_status(const Node& node);
  void add_field(const Node& node);
  void add_body(const Node& node);
  bool has_status(int status) const;
  static bool holds(const Field& field, const UpstreamHead& head);

  std::vector<std::pair<int, int>> statuses_;  // first, last; none: any
  bool not_statuses_ = false;
  std::vector<Field> fields_;
  std::vector<Body> bodies_;
  std::vector<Template> required_;
};

}  // namespace seawall
