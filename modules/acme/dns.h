// What the DNS says of a name, asked as a CA would: without /etc/hosts. For checks that a person waits for: an answer that does not
// come within seconds is none. One thread; may wait.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "seawall/net/address.h"

namespace seawall::acme {

class Addresses {
 public:
  std::vector<Address> all;
  std::string error;  // why there are none
  bool known = true;  // false: nobody has answered
};

// The properties of a name's CAA records (RFC 8659).
class Caa {
 public:
  bool is_there = false;
  std::vector<std::string> issue, issue_wild;  // domains of CAs; "": none may
  bool has_issue = false, has_issue_wild = false;
  std::string critical;  // a property that nobody knows, and without which no CA may issue
};

class Dns {
 public:
  explicit Dns(const std::optional<Address>& server);  // none: those of the system
  Addresses addresses(const std::string& name) const;
  Caa caa(const std::string& name) const;

 private:
  enum class Outcome : std::uint8_t { records, none, no_such_name, no_answer };
  class Reply {
   public:
    Outcome outcome = Outcome::no_answer;
    std::vector<std::string> records;  // their data
  };
  Reply ask(const std::string& name, int type) const;
  static Reply read(std::string answer, int type);

  std::vector<Address> servers_;
};

}  // namespace seawall::acme
