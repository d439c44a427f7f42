// The settings of ssi, and what a request keeps. Settings are written at start-up and read by every loop.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "seawall/config/regex.h"
#include "seawall/config/variable.h"
#include "seawall/module/module.h"
#include "seawall/server/type_list.h"

namespace seawall::ssi {

class Conf {
 public:
  Setting<bool> on{false}, silent_errors{false}, last_modified{false};
  Setting<TypeList> types{TypeList{"text/html"}};
  Setting<std::int64_t> value_length{256};
  Setting<std::int64_t> output_buffer_size{64 * 1024};  // of a subrequest's location
  const VariableTable* variables = nullptr;
};

using Texts = std::map<std::string, std::string>;

// Bytes of all variables and blocks of one request together.
inline constexpr std::size_t kMostHeld = 1024 * 1024;
inline constexpr const char* kTooMuch = "too much in the variables and blocks of an SSI page";

// Of a page: how times are written in it. Of the main request: what all pages share.
class State {
 public:
  std::string time_format = "%A, %d-%b-%Y %H:%M:%S %Z";
  Texts variables, blocks;
  std::size_t held = 0;  // by both
  // False: there is no room for that any more, and nothing has changed.
  bool put(Texts& texts, const std::string& name, std::string value) {
    static constexpr std::size_t kOverhead = 64;  // of an entry, about
    const auto known = texts.find(name);
    const std::size_t before = known == texts.end() ? 0 : known->second.size();
    const std::size_t after = held - before + value.size() + (known == texts.end() ? name.size() + kOverhead : 0);
    if (after > kMostHeld) return false;
    held = after;
    texts[name] = std::move(value);
    return true;
  }
  int inclusions = 0;  // of the whole request
  std::size_t under_way = 0;  // of these, now
  Captures captures;  // of the last regular expression of an `if`
};

class Ssi {
 public:
  using Conf = ssi::Conf;
  using State = ssi::State;
  static constexpr const char* name = "ssi";
  static constexpr const char* summary = "server side includes";
  static const std::span<const Directive> directives;
  static const Filter filters[1];
  static const VariableRow variables[2];
  static void check(Conf& conf, Settings& settings, Binder& binder);
};

}  // namespace seawall::ssi
