#include "e2e/pprof_file.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "catch.h"
#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/timing.h"

namespace test {
namespace {

// The fields of a message, one after another.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = varint();
    field = int(key >> 3);
    bytes = {};
    number = 0;
    if ((key & 7) == 0) number = varint();
    else if ((key & 7) == 2) bytes = take(varint());
    else throw std::runtime_error("a field of another kind");
    return true;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number without end");
  }
  bool at_end() const { return rest_.empty(); }
  int field = 0;
  std::uint64_t number = 0;
  std::string_view bytes;

 private:
  std::string_view take(std::uint64_t n) {
    if (n > rest_.size()) throw std::runtime_error("a message that is cut off");
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string_view rest_;
};

std::vector<std::uint64_t> packed(std::string_view bytes) {
  std::vector<std::uint64_t> all;
  for (Fields values(bytes); !values.at_end();) all.push_back(values.varint());
  return all;
}

std::map<int, std::uint64_t> numbers_of(std::string_view message) {
  std::map<int, std::uint64_t> all;
  for (Fields f(message); f.next();) all[f.field] = f.number;
  return all;
}

}  // namespace

PprofFile::PprofFile(const std::string& gzipped) {
  const std::string whole = ungzip_whole(gzipped);
  std::vector<std::string> strings;
  std::map<std::uint64_t, std::uint64_t> function_names, location_functions;
  for (Fields f(whole); f.next();) {
    if (f.field == 6) strings.emplace_back(f.bytes);
    if (f.field == 5) {
      auto function = numbers_of(f.bytes);
      function_names[function[1]] = function[2];
    }
    if (f.field != 4) continue;
    std::uint64_t id = 0, function = 0;
    for (Fields location(f.bytes); location.next();) {
      if (location.field == 1) id = location.number;
      if (location.field == 4) function = numbers_of(location.bytes)[1];
    }
    location_functions[id] = function;
  }
  if (strings.empty() || !strings[0].empty()) throw std::runtime_error("the first string is the empty one");
  for (Fields f(whole); f.next();) {
    if (f.field == 1) {
      auto type = numbers_of(f.bytes);
      types.push_back(strings.at(type[1]) + "/" + strings.at(type[2]));
    }
    if (f.field == 3) build_ids.push_back(strings.at(numbers_of(f.bytes)[6]));
    if (f.field == 10) duration = std::int64_t(f.number);
    if (f.field == 12) period = std::int64_t(f.number);
    if (f.field == 14) default_type = strings.at(f.number);
    if (f.field != 2) continue;
    Sample& sample = samples.emplace_back();
    for (Fields part(f.bytes); part.next();) {
      if (part.field == 1)
        for (const std::uint64_t location : packed(part.bytes)) sample.frames.push_back(strings.at(function_names.at(location_functions.at(location))));
      if (part.field == 2)
        for (const std::uint64_t value : packed(part.bytes)) sample.values.push_back(std::int64_t(value));
      if (part.field == 3) sample.loop = std::int64_t(numbers_of(part.bytes)[3]);
    }
    if (sample.values.size() != types.size()) throw std::runtime_error("a sample has a value for each type");
  }
}

std::int64_t PprofFile::total(std::size_t value, std::string_view in) const {
  std::int64_t sum = 0;
  for (const Sample& sample : samples) {
    const auto has = [in](const std::string& name) { return name.find(in) != name.npos; };
    if (in.empty() || std::any_of(sample.frames.begin(), sample.frames.end(), has)) sum += sample.values.at(value);
  }
  return sum;
}

PprofFile profile_with(const Server& server, const std::string& path, const std::string& function) {
  std::optional<PprofFile> file;
  const auto met = [&] {
    const Response response = get(server.url(path));
    REQUIRE(response.status == 200);
    return file.emplace(response.body).total(0, function) > 0;
  };
  const bool found = wait_until(met, 4 * kPatience);
  std::string seen;
  for (const PprofFile::Sample& sample : file->samples) {
    seen += std::to_string(sample.values[0]);
    for (const std::string& frame : sample.frames) seen += " < " + frame;
    seen += "\n";
  }
  INFO("no sample has " << function << ":\n" << seen);
  CHECK(found);
  return *file;
}

}  // namespace test
