// The fields of the request as the upstream gets it: what proxy_set_header says, then what the client has sent and nobody has set
// anew. What frames the message or belongs to the client's connection is never copied. Made at start-up, used on any loop.
#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "seawall/module/module.h"
#include "seawall/upstream/protocol.h"

namespace seawall::proxy {

// proxy_set_header NAME VALUE
class SetField {
 public:
  std::string name;
  FieldId id = FieldId::other;
  Template value;
};

class RequestFields {
 public:
  RequestFields() = default;
  explicit RequestFields(const std::vector<SetField>& set);

  class Facts {
   public:
    std::string_view default_host;
    bool needs_host = true;       // HTTP/1.1: also where proxy_set_header has an empty one
    bool passes_client = true;    // proxy_pass_request_headers
    const ForCache* for_cache = nullptr;
  };
  // Appends the lines. True: the request asks for another protocol (Upgrade).
  bool write(Exchange& x, const Facts& facts, std::string& out) const;

 private:
  bool write_set(Exchange& x, std::string& out) const;
  bool write_websocket(const Exchange& x, std::string& out) const;
  void write_clients(const Exchange& x, bool whole, std::string& out) const;
  void write_conditions(const ForCache& asked, std::string& out) const;

  std::vector<SetField> set_;            // without Host and what frames the message
  std::unordered_set<std::string> names_;  // all that were set, lower case
  bool sets_upgrade_ = false;
  std::shared_ptr<Template> host_value_;
};

}  // namespace seawall::proxy
