#include "pprof.h"

#include <zlib.h>

#include <stdexcept>
#include <unordered_map>

namespace seawall::profile {
namespace {

// A message of protocol buffers as it is written: fields by number, of the two kinds that profile.proto needs.
class Message {
 public:
  void number(int field, std::uint64_t value) {
    if (value == 0) return;  // is the default
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(value);
  }
  void bytes(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    text += value;
  }
  void message(int field, const Message& inner) { bytes(field, inner.text); }
  template <class Numbers>
  void packed(int field, const Numbers& values) {
    Message inner;
    for (const auto value : values) inner.varint(static_cast<std::uint64_t>(value));
    message(field, inner);
  }
  std::string text;

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
    text += static_cast<char>(value);
  }
};

// The numbers of fields, as profile.proto has them.
namespace of_profile { constexpr int sample_type = 1, sample = 2, mapping = 3, location = 4, function = 5, strings = 6, time = 9, duration = 10, period_type = 11, period = 12, default_type = 14; }
namespace of_type { constexpr int type = 1, unit = 2; }
namespace of_sample { constexpr int locations = 1, values = 2, label = 3; }
namespace of_label { constexpr int key = 1, number = 3; }
namespace of_mapping { constexpr int id = 1, begin = 2, end = 3, offset = 4, file = 5, build_id = 6, has_functions = 7; }
namespace of_location { constexpr int id = 1, mapping = 2, address = 3, line = 4; }
namespace of_line { constexpr int function = 1; }
namespace of_function { constexpr int id = 1, name = 2, system_name = 3; }

class Writer {
 public:
  Writer(const ProfileData& data, Symbols& symbols) : data_(data), symbols_(symbols) { string(""); }

  std::string write() {
    for (const ValueType& type : data_.types) out_.message(of_profile::sample_type, value_type(type));
    for (const Stack& stack : data_.stacks) sample(stack);
    for (std::size_t i = 0; i < symbols_.mappings().size(); ++i) mapping(i + 1, symbols_.mappings()[i]);
    out_.number(of_profile::time, static_cast<std::uint64_t>(data_.time));
    out_.number(of_profile::duration, static_cast<std::uint64_t>(data_.duration));
    if (data_.period_type.type) out_.message(of_profile::period_type, value_type(data_.period_type));
    out_.number(of_profile::period, static_cast<std::uint64_t>(data_.period));
    out_.number(of_profile::default_type, string(data_.types[data_.shown].type));
    for (const std::string& text : strings_) out_.bytes(of_profile::strings, text);
    return std::move(out_.text);
  }

 private:
  std::uint64_t string(const std::string& text) {
    const auto [known, added] = string_numbers_.try_emplace(text, strings_.size());
    if (added) strings_.push_back(text);
    return known->second;
  }
  Message value_type(const ValueType& type) {
    Message message;
    message.number(of_type::type, string(type.type));
    message.number(of_type::unit, string(type.unit));
    return message;
  }
  void sample(const Stack& stack) {
    std::vector<std::uint64_t> locations;
    for (const std::uintptr_t address : stack.addresses) locations.push_back(location(address));
    for (const std::string& name : stack.names) locations.push_back(location(name));
    Message message;
    message.packed(of_sample::locations, locations);
    message.packed(of_sample::values, stack.values);
    if (stack.loop >= 0) {
      Message label;
      label.number(of_label::key, string("loop"));
      label.number(of_label::number, static_cast<std::uint64_t>(stack.loop));
      message.message(of_sample::label, label);
    }
    out_.message(of_profile::sample, message);
  }
  std::uint64_t location(std::uintptr_t address) {
    const auto [known, added] = by_address_.try_emplace(address, by_address_.size() + by_name_.size() + 1);
    if (added) {
      const Mapping* const mapping = symbols_.mapping_of(address);
      const std::uint64_t number = mapping ? static_cast<std::uint64_t>(mapping - symbols_.mappings().data()) + 1 : 0;
      write_location(known->second, number, address, symbols_.name_of(address));
    }
    return known->second;
  }
  std::uint64_t location(const std::string& name) {
    const auto [known, added] = by_name_.try_emplace(name, by_address_.size() + by_name_.size() + 1);
    if (added) write_location(known->second, 0, 0, name);
    return known->second;
  }
  void write_location(std::uint64_t id, std::uint64_t mapping, std::uintptr_t address, const std::string& name) {
    Message line, message;
    line.number(of_line::function, function(name));
    message.number(of_location::id, id);
    message.number(of_location::mapping, mapping);
    message.number(of_location::address, address);
    message.message(of_location::line, line);
    out_.message(of_profile::location, message);
  }
  std::uint64_t function(const std::string& name) {
    const auto [known, added] = functions_.try_emplace(name, functions_.size() + 1);
    if (added) {
      Message message;
      message.number(of_function::id, known->second);
      message.number(of_function::name, string(name));
      message.number(of_function::system_name, string(name));
      out_.message(of_profile::function, message);
    }
    return known->second;
  }
  void mapping(std::uint64_t id, const Mapping& mapping) {
    Message message;
    message.number(of_mapping::id, id);
    message.number(of_mapping::begin, mapping.begin);
    message.number(of_mapping::end, mapping.end);
    message.number(of_mapping::offset, mapping.offset);
    message.number(of_mapping::file, string(mapping.file));
    message.number(of_mapping::build_id, string(mapping.build_id));
    message.number(of_mapping::has_functions, 1);
    out_.message(of_profile::mapping, message);
  }

  const ProfileData& data_;
  Symbols& symbols_;
  Message out_;
  std::vector<std::string> strings_;
  std::unordered_map<std::string, std::uint64_t> string_numbers_, by_name_, functions_;
  std::unordered_map<std::uintptr_t, std::uint64_t> by_address_;
};

std::string gzip(std::string_view text) {
  constexpr int kGzip = 15 + 16;
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::runtime_error("deflate() of a profile failed");
  return out;
}

}  // namespace

std::string pprof_of(const ProfileData& data, Symbols& symbols) { return gzip(Writer(data, symbols).write()); }

}  // namespace seawall::profile
