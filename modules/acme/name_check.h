// What the DNS says of a name, and who answers there. In a process of its own; may wait.
#pragma once
#include <string>
#include <vector>

#include "client.h"

namespace seawall::acme {

class NameCheck {
 public:
  NameCheck(std::string name, std::vector<std::string>& findings) : name_(std::move(name)), findings_(findings) {}
  // It has addresses, of this machine; `port` is open at each of them.
  void check_addresses(int port, const std::string& what);
  // http://NAME:port answers as this server does.
  void check_plain_answer(int port);
  // CAA records (RFC 8659) allow one of these CAs.
  void check_caa(const std::vector<std::string>& authorities);

 private:
  void find(const std::string& sentence) { findings_.push_back(name_ + ": " + sentence); }
  const std::string name_;
  std::vector<std::string>& findings_;
};

}  // namespace seawall::acme
