// A file of pprof's profile.proto as a reader of it sees it: undone by hand from the definition, apart from what writes it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/server.h"

namespace test {

class PprofFile {
 public:
  explicit PprofFile(const std::string& gzipped);  // throws std::runtime_error on what is no such file

  class Sample {
   public:
    std::vector<std::string> frames;  // names of functions, the innermost first
    std::vector<std::int64_t> values;
    std::int64_t loop = -1;
  };
  std::vector<std::string> types;     // "cpu/nanoseconds"
  std::vector<Sample> samples;
  std::vector<std::string> build_ids;  // of mappings
  std::int64_t period = 0, duration = 0;
  std::string default_type;

  // The sum of that value over samples with a frame whose name contains this.
  std::int64_t total(std::size_t value, std::string_view in = {}) const;
};

// Of a busy machine's server, which gets little of it: asked for with this path again until it has met that function.
PprofFile profile_with(const Server& server, const std::string& path, const std::string& function);

}  // namespace test
