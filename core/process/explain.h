// `seawall explain`: what the servers of a configuration would do with a request, and why. It runs the request through them, over a
// connection to itself, without listening anywhere.
#pragma once
#include <string>
#include <vector>

#include "seawall/process/options.h"

namespace seawall {

class Question {
 public:
  std::string method = "GET";
  std::string url;                   // http://host[:port]/path?args
  std::vector<std::string> headers;  // "Name: value"
  std::string from;                  // the client's address; empty: a unix socket's
};

// Prints the answer. False, with the reason on standard error, when the configuration or the question is no good.
bool explain(const Options& options, const Question& question);

}  // namespace seawall
