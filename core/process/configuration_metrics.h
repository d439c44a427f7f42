// What is to be known of the configuration in force: which one it is, since when, and when its certificates end. Any thread.
#pragma once
#include <cstdint>
#include <string>

namespace seawall {

class ConfigTree;
class Gathering;
class HttpConf;

class ConfigurationMetrics {
 public:
  explicit ConfigurationMetrics(const ConfigTree& tree);  // it is that of now
  void collect(Gathering& out, const HttpConf& http) const;

 private:
  std::string file_, hash_;  // SHA-256 of the text of all its files, hexadecimal
  double loaded_;            // seconds since the epoch
};

}  // namespace seawall
