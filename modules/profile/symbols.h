// Names of addresses in this process: by the symbols of the file that is mapped there, or of the file that its build id or its
// debug link leads to. Made for one profile, on a thread that may take its time.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "elf_file.h"

namespace seawall::profile {

class Mapping {
 public:
  std::uintptr_t begin, end;
  std::uint64_t offset;  // in the file
  std::string file, build_id;
};

class Symbols {
 public:
  explicit Symbols(std::string debug_folder = "/usr/lib/debug");
  ~Symbols();

  // Null: nothing executable is mapped there.
  const Mapping* mapping_of(std::uintptr_t address) const;
  const std::vector<Mapping>& mappings() const { return mappings_; }
  // What a reader wants to see: without the clutter of templates' defaults, a coroutine as the function that was written.
  // Unknown ones are "[NAME OF THE FILE]".
  std::string name_of(std::uintptr_t address);

 private:
  class Names;
  Names& names_of(const Mapping& mapping);
  const std::string debug_folder_;  // of files by build id, and by the paths of those that they are of
  std::vector<Mapping> mappings_;   // by address
  std::map<std::string, std::unique_ptr<Names>> names_;  // by file
};

}  // namespace seawall::profile
