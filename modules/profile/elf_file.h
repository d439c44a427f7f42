// An ELF file, as far as names of functions need it: its symbols, its build id, its link to a file with more symbols. Read whole
// when it is opened; what does not make sense in it is as if it were not there. Any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::profile {

class Symbol {
 public:
  std::uint64_t address, size;
  std::string_view name;  // of the file
};

class ElfFile {
 public:
  // Null: there is none, or it is no ELF file of this machine.
  static std::unique_ptr<ElfFile> open(const std::string& path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  std::string build_id() const;    // hexadecimal; empty: it has none
  std::string debug_link() const;  // a name without folder; empty
  // Functions of .symtab, else of .dynsym, by address.
  std::vector<Symbol> symbols() const;
  bool has_symtab() const { return find_section(2).has_value(); }
  // The address, as symbols have it, of a byte of the file.
  std::optional<std::uint64_t> address_of(std::uint64_t file_offset) const;

 private:
  class Section {
   public:
    std::string_view name, bytes;
    std::uint32_t type, link;
    std::uint64_t entry;
  };
  class Segment {
   public:
    std::uint64_t offset, size, address;
  };
  explicit ElfFile(std::string_view bytes) : bytes_(bytes) {}
  bool read();
  template <class T>
  std::optional<T> at(std::uint64_t offset) const;
  std::string_view part(std::uint64_t offset, std::uint64_t size) const;
  std::optional<Section> find_section(std::uint32_t type) const;
  std::optional<Section> find_section(std::string_view name) const;

  const std::string_view bytes_;  // mapped
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
};

}  // namespace seawall::profile
