#include "symbols.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace seawall::profile {
namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

// Where Debian's -dbgsym packages and gdb have it.
std::unique_ptr<ElfFile> find_debug_file(const std::string& path, const ElfFile& stripped, const std::string& debug_folder) {
  std::vector<std::string> places;
  const std::string id = stripped.build_id(), link = stripped.debug_link();
  if (id.size() > 2) places.push_back(debug_folder + "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug");
  if (!link.empty())
    for (const std::string& folder : {folder_of(path), folder_of(path) + ".debug/", debug_folder + folder_of(path)}) places.push_back(folder + link);
  for (const std::string& place : places) {
    auto file = ElfFile::open(place);
    if (file && file->has_symtab() && file->build_id() == id) return file;
  }
  return nullptr;
}

// A coroutine is the function that was written: GCC names what runs it after its frame, "... 44_ZN7seawall8serve_h1ERNS_10ConnectionE.Frame.actor".
std::string_view written_name(std::string_view mangled) {
  const auto frame = mangled.find(".Frame");
  if (frame == mangled.npos) return mangled.substr(0, mangled.find('.'));
  const std::string_view before = mangled.substr(0, frame);
  const auto begin = before.rfind("_Z");
  return begin == before.npos ? before : before.substr(begin);
}

std::string readable(std::string_view mangled) {
  const std::string plain(written_name(mangled));
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && text ? text.get() : plain;
}

}  // namespace

// Those of one file.
class Symbols::Names {
 public:
  Names(const std::string& path, const std::string& debug_folder) : file_(ElfFile::open(path)) {
    if (!file_) return;
    build_id = file_->build_id();
    if (!file_->has_symtab()) debug_file_ = find_debug_file(path, *file_, debug_folder);
    symbols_ = (debug_file_ ? *debug_file_ : *file_).symbols();
  }
  std::string_view find(std::uint64_t file_offset) const {
    const auto address = file_ ? file_->address_of(file_offset) : std::nullopt;
    if (!address) return {};
    auto after = std::upper_bound(symbols_.begin(), symbols_.end(), *address, [](std::uint64_t a, const Symbol& s) { return a < s.address; });
    while (after != symbols_.begin()) {
      const Symbol& symbol = *--after;
      if (*address - symbol.address < std::max<std::uint64_t>(symbol.size, 1)) return symbol.name;
      if (symbol.size > 0) break;  // it lies between two
    }
    return {};
  }
  std::string build_id;

 private:
  std::unique_ptr<ElfFile> file_, debug_file_;
  std::vector<Symbol> symbols_;
};

Symbols::Symbols(std::string debug_folder) : debug_folder_(std::move(debug_folder)) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping{};
    std::string range, rights, device, inode;
    std::istringstream words(line);
    words >> range >> rights >> std::hex >> mapping.offset >> device >> inode >> std::ws;
    std::getline(words, mapping.file);
    const auto dash = range.find('-');
    if (rights.size() < 3 || rights[2] != 'x' || dash == range.npos) continue;
    mapping.begin = std::strtoull(range.c_str(), nullptr, 16);
    mapping.end = std::strtoull(range.c_str() + dash + 1, nullptr, 16);
    if (mapping.file.starts_with('/')) mapping.build_id = names_of(mapping).build_id;
    mappings_.push_back(std::move(mapping));
  }
}

Symbols::~Symbols() = default;

Symbols::Names& Symbols::names_of(const Mapping& mapping) {
  auto& names = names_[mapping.file];
  if (!names) names = std::make_unique<Names>(mapping.file, debug_folder_);
  return *names;
}

const Mapping* Symbols::mapping_of(std::uintptr_t address) const {
  auto after = std::upper_bound(mappings_.begin(), mappings_.end(), address, [](std::uintptr_t a, const Mapping& m) { return a < m.begin; });
  if (after == mappings_.begin() || address >= (--after)->end) return nullptr;
  return &*after;
}

std::string Symbols::name_of(std::uintptr_t address) {
  const Mapping* const mapping = mapping_of(address);
  if (!mapping) return "[unknown]";
  if (mapping->file.empty()) return "[generated code]";  // LuaJIT's, PCRE2's
  if (!mapping->file.starts_with('/')) return mapping->file;  // [vdso]
  const std::string_view mangled = names_of(*mapping).find(address - mapping->begin + mapping->offset);
  if (mangled.empty()) return "[" + mapping->file.substr(mapping->file.rfind('/') + 1) + "]";
  return readable(mangled);
}

}  // namespace seawall::profile
