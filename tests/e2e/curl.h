// An ordinary client: libcurl, any certificate accepted, no proxy, no redirect followed. One Curl keeps its connection.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e2e/raw_client.h"

namespace test {

class Request {
 public:
  std::string url;
  std::string method = "GET";
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;
  std::vector<std::string> resolve;  // "name:port:127.0.0.1": any name, also as SNI
  std::string unix_socket;
  std::string ca_file;  // verify against this PEM file
  bool http2 = false;   // over TLS by ALPN, else with prior knowledge
};

class Curl {
 public:
  Curl();
  Response fetch(const Request& request);  // throws with libcurl's reason
  int new_connections() const;             // that the last fetch made: 0 when it reused one

 private:
  std::unique_ptr<void, void (*)(void*)> handle_;
};

Response fetch(const Request& request);  // on a connection of its own
Response get(const std::string& url, std::vector<std::string> headers = {});

}  // namespace test
