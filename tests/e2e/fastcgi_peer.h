// The other side of FastCGI for a scripted upstream: a request as its program sees it, and records to answer with.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "e2e/raw_client.h"

namespace test {

class FastCgiRequest {
 public:
  std::map<std::string, std::string> params;
  std::string body;
  int flags = 0;                 // of the begin record: 1 keeps the connection
  int records_of_body = 0;
};

// Reads to the end of the body. Throws as RawClient does.
FastCgiRequest read_fastcgi(RawClient& c);

// A record of a type (6: stdout, 7: stderr, 3: end) with some padding.
std::string fastcgi_record(int type, std::string_view content, std::size_t padding = 0);
// A whole response: this on stdout, and the end.
std::string fastcgi_response(std::string_view text);

}  // namespace test
