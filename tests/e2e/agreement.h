// Does `seawall explain` say what the server does? With SEAWALL_EXPLAIN in the environment the clients of this helper ask it about
// each request that they have had answered: the same configuration and files, as they are at that moment. An optimised build has a
// test that runs all of them so. agreement.cc has the tests that are about something which is not in the request. Thread-safe.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "e2e/raw_client.h"
#include "e2e/server.h"

namespace test {

class Agreement {
 public:
  // A running server: its ports, and what `seawall explain` needs to know of it.
  static void add(const std::vector<int>& ports, std::vector<std::string> arguments, const std::string& folder);
  static void remove(const std::vector<int>& ports);

  static bool is_asked();
  // One request and its response. What explain cannot be asked (a body, another version than HTTP/1.1, no server of ours) and what it
  // only names (an upstream that it does not ask) is passed over. A disagreement fails the test.
  static void check(int port, bool tls, const std::string& method, const std::string& target, const std::vector<std::string>& headers,
                    const Response& response);
  // The same for the bytes that a client has sent over its socket: the connection is new; more has been sent; a response has come.
  static void begin(int fd);
  static void sent(int fd, std::string_view bytes);
  static void answered(int fd, const Response& response);
};

// As run_server(), of any binary, and what it prints goes into files of the folder `output`, which is made.
Run run_beside(const std::string& program, const std::vector<std::string>& arguments, const std::string& folder, const std::string& output);

}  // namespace test
