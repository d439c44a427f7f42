#include "elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "seawall/base/fd.h"
#include "seawall/base/hex.h"

namespace seawall::profile {
namespace {

std::string_view text_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const std::string_view rest = table.substr(offset);
  return rest.substr(0, std::min(rest.find('\0'), rest.size()));
}

}  // namespace

std::unique_ptr<ElfFile> ElfFile::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) < 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return nullptr;
  const auto size = static_cast<std::size_t>(info.st_size);
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return nullptr;
  std::unique_ptr<ElfFile> file(new ElfFile({static_cast<const char*>(memory), size}));
  if (!file->read()) return nullptr;
  return file;
}

ElfFile::~ElfFile() { ::munmap(const_cast<char*>(bytes_.data()), bytes_.size()); }

template <class T>
std::optional<T> ElfFile::at(std::uint64_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

std::string_view ElfFile::part(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
  return bytes_.substr(offset, size);
}

bool ElfFile::read() {
  const auto head = at<Elf64_Ehdr>(0);
  if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64) return false;
  const auto names = at<Elf64_Shdr>(head->e_shoff + std::uint64_t{head->e_shstrndx} * sizeof(Elf64_Shdr));
  const std::string_view name_table = names ? part(names->sh_offset, names->sh_size) : std::string_view();
  for (unsigned i = 0; i < head->e_shnum; ++i) {
    const auto section = at<Elf64_Shdr>(head->e_shoff + std::uint64_t{i} * sizeof(Elf64_Shdr));
    if (!section) break;
    const bool has_bytes = section->sh_type != SHT_NOBITS;  // a file of symbols has the rest by name only
    sections_.push_back({text_at(name_table, section->sh_name), has_bytes ? part(section->sh_offset, section->sh_size) : std::string_view(),
                         section->sh_type, section->sh_link, section->sh_entsize});
  }
  for (unsigned i = 0; i < head->e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(head->e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr));
    if (segment && segment->p_type == PT_LOAD) segments_.push_back({segment->p_offset, segment->p_filesz, segment->p_vaddr});
  }
  return true;
}

std::optional<ElfFile::Section> ElfFile::find_section(std::uint32_t type) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(), [type](const Section& s) { return s.type == type && !s.bytes.empty(); });
  return found == sections_.end() ? std::nullopt : std::optional(*found);
}

std::optional<ElfFile::Section> ElfFile::find_section(std::string_view name) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(), [name](const Section& s) { return s.name == name; });
  return found == sections_.end() ? std::nullopt : std::optional(*found);
}

std::string ElfFile::build_id() const {
  const auto note = find_section(".note.gnu.build-id");
  if (!note || note->bytes.size() < sizeof(Elf64_Nhdr)) return {};
  Elf64_Nhdr head;
  std::memcpy(&head, note->bytes.data(), sizeof head);
  const std::size_t begin = sizeof head + (std::size_t{head.n_namesz} + 3) / 4 * 4;
  if (begin > note->bytes.size() || head.n_descsz > note->bytes.size() - begin) return {};
  return hex_of(note->bytes.substr(begin, head.n_descsz));
}

std::string ElfFile::debug_link() const {
  const auto link = find_section(".gnu_debuglink");
  const std::string name(link ? text_at(link->bytes, 0) : std::string_view());
  return name.find('/') == name.npos ? name : std::string();
}

std::vector<Symbol> ElfFile::symbols() const {
  std::vector<Symbol> all;
  auto table = find_section(SHT_SYMTAB);
  if (!table) table = find_section(SHT_DYNSYM);
  if (!table || table->entry != sizeof(Elf64_Sym) || table->link >= sections_.size()) return all;
  const std::string_view names = sections_[table->link].bytes;
  for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= table->bytes.size(); at += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, table->bytes.data() + at, sizeof symbol);
    const int type = ELF64_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) continue;
    all.push_back({symbol.st_value, symbol.st_size, text_at(names, symbol.st_name)});
  }
  std::sort(all.begin(), all.end(), [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  return all;
}

std::optional<std::uint64_t> ElfFile::address_of(std::uint64_t file_offset) const {
  for (const Segment& segment : segments_)
    if (file_offset >= segment.offset && file_offset - segment.offset < segment.size) return segment.address + (file_offset - segment.offset);
  return std::nullopt;
}

}  // namespace seawall::profile
