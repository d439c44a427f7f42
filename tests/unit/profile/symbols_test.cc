// Names of functions in files that have been stripped, as a distribution's are: by their debug link, or by their build id.
#include "symbols.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "catch.h"

using seawall::profile::ElfFile;
using seawall::profile::Symbols;
namespace fs = std::filesystem;

namespace {

constexpr const char* kName = "subject::(anonymous namespace)::inner(int)";

void run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

// The subject without its symbols, mapped into this process; they are beside it in a file of their own, which the link names.
class Stripped {
 public:
  Stripped() : folder(make_folder()) {
    run("objcopy --only-keep-debug " SUBJECT_PATH " " + debug_file());
    run("cd " + folder + " && objcopy --strip-all --add-gnu-debuglink=subject.debug " SUBJECT_PATH " subject.so");
    library_ = ::dlopen((folder + "/subject.so").c_str(), RTLD_NOW);
    REQUIRE(library_);
    inner = reinterpret_cast<std::uintptr_t>(reinterpret_cast<const void* (*)()>(::dlsym(library_, "address_of_inner"))());
  }
  ~Stripped() {
    ::dlclose(library_);
    fs::remove_all(folder);
  }
  std::string debug_file() const { return folder + "/subject.debug"; }
  std::string name() const { return Symbols(folder + "/debug").name_of(inner); }
  const std::string folder;
  std::uintptr_t inner = 0;

 private:
  static std::string make_folder() {
    std::string path = (fs::temp_directory_path() / "symbols-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()));
    return path;
  }
  void* library_ = nullptr;
};

}  // namespace

TEST_CASE("a stripped file's functions are named by its debug link") {
  const Stripped subject;
  CHECK(subject.name() == kName);
  fs::create_directory(subject.folder + "/.debug");
  fs::rename(subject.debug_file(), subject.folder + "/.debug/subject.debug");
  CHECK(subject.name() == kName);
}

TEST_CASE("a stripped file's functions are named by its build id") {
  const Stripped subject;
  const std::string id = ElfFile::open(subject.folder + "/subject.so")->build_id();
  REQUIRE(id.size() == 40);
  const std::string folder = subject.folder + "/debug/.build-id/" + id.substr(0, 2);
  fs::create_directories(folder);
  fs::rename(subject.debug_file(), folder + "/" + id.substr(2) + ".debug");
  CHECK(subject.name() == kName);
}

TEST_CASE("without symbols a function has the name of its file, and symbols of another build are not taken") {
  const Stripped subject;
  fs::copy_file("/proc/self/exe", subject.debug_file(), fs::copy_options::overwrite_existing);
  CHECK(subject.name() == "[subject.so]");
  fs::remove(subject.debug_file());
  CHECK(subject.name() == "[subject.so]");
}

TEST_CASE("what is no ELF file has no symbols, and a broken one none that it does not hold") {
  const Stripped subject;
  const std::string path = subject.folder + "/cut";
  for (const std::uintmax_t size : {0, 10, 64, 1000, 5000}) {
    fs::copy_file(SUBJECT_PATH, path, fs::copy_options::overwrite_existing);
    fs::resize_file(path, std::min(size, fs::file_size(path)));
    const auto file = ElfFile::open(path);
    if (file) CHECK(file->symbols().size() < 100);
  }
  CHECK(!ElfFile::open("/proc/self/status"));
  CHECK(!ElfFile::open(subject.folder));
}
