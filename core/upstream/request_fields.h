// The fields of a request as an HTTP upstream gets it: what *_set_header says, then what the client has sent and nobody has set
// anew. What frames the message or belongs to the client's connection is never copied. Made at start-up, used on any loop.
#pragma once
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/directive.h"
#include "seawall/config/template.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

class Exchange;

// proxy_set_header NAME VALUE
class SetField {
 public:
  std::string name;
  FieldId id = FieldId::other;
  Template value;
};
SEAWALL_API void append_set_field(std::vector<SetField>& fields, const Invocation& in);

class SEAWALL_API RequestFields {
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
  // HTTP/1: appends the lines. True: the request asks for another protocol (Upgrade).
  bool write(Exchange& x, const Facts& facts, std::string& out) const;
  // HTTP/2: without Host, and without what an HTTP/2 request must not have. A TE that was set says "trailers" or nothing.
  void list(Exchange& x, const Facts& facts, Headers& out) const;
  // The client asks for a WebSocket, and no proxy_set_header Upgrade says otherwise.
  bool passes_websocket(Exchange& x) const;
  // `name` in lower case.
  bool sets(const std::string& name) const { return names_.contains(name); }
  std::string host(Exchange& x, const Facts& facts) const;

 private:
  template <class Out>
  bool write_set(Exchange& x, Out& out) const;
  bool write_websocket(const Exchange& x, std::string& out) const;
  template <class Out>
  void write_trace(Exchange& x, Out& out) const;
  template <class Out>
  void write_clients(Exchange& x, bool whole, Out& out) const;
  template <class Out>
  void write_conditions(const ForCache& asked, Out& out) const;

  std::vector<SetField> set_;            // without Host and what frames the message
  std::unordered_set<std::string> names_;  // all that were set, lower case
  bool sets_upgrade_ = false;
  std::shared_ptr<Template> host_value_;
};

}  // namespace seawall
