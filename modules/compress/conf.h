// The settings of gzip, brotli and zstd, and the table of the codings. Written at start-up, read by every loop.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "coder.h"
#include "seawall/config/regex.h"
#include "seawall/module/module.h"
#include "seawall/server/type_list.h"

namespace seawall::compress {

// gzip_static and its kin: files that were compressed before.
enum class Static : std::uint8_t { off, on, always };

// gzip_proxied: what a request that came through a proxy (Via) must meet, as bits; none: it is never compressed for.
enum Proxied : unsigned {
  kExpired = 1, kNoCache = 2, kNoStore = 4, kPrivate = 8, kNoLastModified = 16, kNoEtag = 32, kAuth = 64, kAny = 128,
  kOff = 256,
};

// gzip_disable: browsers that say more than they can.
class Disabled {
 public:
  std::vector<std::shared_ptr<const Regex>> agents;
  bool msie6 = false;
};

// zstd_comp_level from which on it is slow (Coding::is_slow).
inline constexpr std::int64_t kSlowZstd = 16;

class Conf {
 public:
  Setting<bool> gzip{false}, gunzip{false}, vary{false};
  Setting<TypeList> gzip_types{TypeList{"text/html"}};
  Setting<std::int64_t> gzip_level{1}, gzip_min_length{20};
  Setting<int> window_bits{15}, memory_level{8};
  Setting<Version> http_version{Version::http11};
  Setting<unsigned> proxied{0u};
  Setting<Disabled> disabled;
  Setting<Static> gzip_static{Static::off};

  Setting<bool> brotli{false};
  Setting<TypeList> brotli_types{TypeList{"text/html"}};
  Setting<std::int64_t> brotli_level{6}, brotli_min_length{20};
  Setting<int> brotli_window_bits{19};
  Setting<Static> brotli_static{Static::off};

  Setting<bool> zstd{false};
  Setting<TypeList> zstd_types{TypeList{"text/html"}};
  Setting<std::int64_t> zstd_level{1}, zstd_min_length{20};
  Setting<Static> zstd_static{Static::off};
};

// One content coding, as the tables of this module know it.
class Coding {
 public:
  const char* token;   // in Accept-Encoding and Content-Encoding
  const char* suffix;  // of a file that was compressed before
  Setting<bool> Conf::*on;
  Setting<TypeList> Conf::*types;
  Setting<std::int64_t> Conf::*min_length;
  Setting<Static> Conf::*precompressed;
  std::unique_ptr<Coder> (*make)(LoopState&, const Conf&, std::optional<std::uint64_t>);
  // Does it take so long with these settings that it is done beside the loop? Its coder holds nothing of the loop's then.
  bool (*is_slow)(const Conf&);
};

// In the order preferred among those a client likes equally well: who knows a later one knows the earlier ones, too, so that
// the other order would never choose it.
inline constexpr int kCodings = 3;
extern const std::array<Coding, kCodings> codings;
extern const Coding& gzip_coding;

class LoopState;  // loop_state.h

// What is known of a request's response: for Vary and the variables.
class State {
 public:
  bool varies = false;            // with what the client accepts
  const Coding* coding = nullptr;
  std::uint64_t in = 0, out = 0;  // bytes before and after; out is 0 until the body's end
};

class CompressModule {
 public:
  using Conf = compress::Conf;
  using State = compress::State;
  using LoopState = compress::LoopState;
  static constexpr const char* name = "compress";
  static constexpr const char* summary = "gzip, brotli and zstd: on the fly, from files, and undone";
  static const std::span<const Directive> directives;
  static const Step steps[1];
  static const Filter filters[2];
  static const VariableRow variables[3];
};

}  // namespace seawall::compress
