// The main of a fuzz target in the ordinary test build: runs it over every file of the folders given, so that what a fuzzer
// once found stays found. Ends by the target's own crash, or with the number of inputs on stdout.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  int inputs = 0;
  const auto run = [&inputs](const std::vector<char>& bytes) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++inputs;
  };
  run({});
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) continue;  // a target without findings has no regressions
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::fprintf(stderr, "%s\n", entry.path().c_str());  // the last name is the one that crashed
      std::ifstream in(entry.path(), std::ios::binary);
      run(std::vector<char>(std::istreambuf_iterator<char>(in), {}));
    }
  }
  std::printf("%d inputs\n", inputs);
}
