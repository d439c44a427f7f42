// A folder of configuration files for one test, removed at its end.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace test {

class Files {
 public:
  Files() {
    char name[] = "/tmp/seawall-config-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  Files(const Files&) = delete;
  ~Files() { std::filesystem::remove_all(path_); }
  // Writes a file, making the folders above it; its path.
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace test
