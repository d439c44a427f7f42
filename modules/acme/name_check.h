// What the DNS says of a name, and who answers there. In a process of its own; may wait.
#pragma once
#include <string>
#include <vector>

#include "client.h"
#include "dns.h"

namespace seawall::acme {

class NameCheck {
 public:
  // "*.example.org" is about example.org, but for CAA.
  NameCheck(const std::string& name, const std::optional<Address>& resolver, std::vector<std::string>& findings)
      : host_(name.starts_with("*.") ? name.substr(2) : name), is_wildcard_(host_ != name), dns_(resolver), findings_(findings) {}
  // It has addresses, of this machine; `port` is open at each of them.
  void check_addresses(int port, const std::string& what);
  // http://NAME:port answers as this server does.
  void check_plain_answer(int port);
  // CAA records (RFC 8659) allow one of these CAs.
  void check_caa(const std::vector<std::string>& authorities);

 private:
  void check_address(const Address& address, int port, const std::string& what);
  void check_allowed(const std::string& name, const Caa& caa, const std::vector<std::string>& authorities);
  void find(const std::string& sentence) { findings_.push_back(visible(host_ + ": " + sentence)); }
  const std::string host_;
  const bool is_wildcard_;
  Dns dns_;
  Addresses addresses_;
  std::vector<std::string>& findings_;
};

}  // namespace seawall::acme
