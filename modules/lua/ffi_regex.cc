// ngx.re on PCRE2, in FFI functions: compile, match, names. A compiled pattern belongs to who compiled it. One loop.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>

#include "api.h"
#include "conf.h"
#include "ffi.h"

using namespace seawall;
using namespace seawall::lua;

namespace {

// Without one a pattern could hold a loop as long as it likes.
constexpr std::uint32_t kMatchLimit = 1'000'000;

class Pattern {
 public:
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;
  std::uint32_t groups = 0;
  ~Pattern() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
};

// What letter is none; 0: all are.
char read_options(std::string_view letters, std::uint32_t& options, bool& jit) {
  options = 0;
  jit = false;
  for (const char letter : letters) {
    switch (letter) {
      case 'a': options |= PCRE2_ANCHORED; break;
      case 'd': case 'o': break;  // of the match; of the cache
      case 'D': options |= PCRE2_DUPNAMES; break;
      case 'i': options |= PCRE2_CASELESS; break;
      case 'j': jit = true; break;
      case 'J': options |= PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF; break;
      case 'm': options |= PCRE2_MULTILINE; break;
      case 's': options |= PCRE2_DOTALL; break;
      case 'u': options |= PCRE2_UTF; break;
      case 'U': options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF; break;  // unchecked text could lead PCRE2 anywhere
      case 'x': options |= PCRE2_EXTENDED; break;
      default: return letter;
    }
  }
  return 0;
}

std::string message_of(int error) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<char*>(text);
}

}  // namespace

SEAWALL_LUA void seawall_lua_re_free(void* pattern) { delete static_cast<Pattern*>(pattern); }

// Null: `out` says why.
SEAWALL_LUA void* seawall_lua_re_compile(const char* text, std::size_t size, const char* letters, std::size_t letters_size, const char** out,
                                         std::size_t* out_size) {
  Vm& vm = *Vm::now();
  std::uint32_t options;
  bool jit;
  if (const char unknown = read_options({letters, letters_size}, options, jit)) {
    vm.scratch = std::string("unknown flag \"") + unknown + "\"";
    give(vm.scratch, out, out_size);
    return nullptr;
  }
  int error = 0;
  PCRE2_SIZE at = 0;
  auto pattern = std::make_unique<Pattern>();
  pattern->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), size, options, &error, &at, nullptr);
  if (!pattern->code) {
    vm.scratch = "pcre_compile() failed: " + message_of(error) + " in \"" + std::string(text, size) + "\"";
    if (at < size) vm.scratch += " at \"" + std::string(text + at, size - at) + "\"";
    give(vm.scratch, out, out_size);
    return nullptr;
  }
  if (jit) {
    const bool compiled = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
    log_debug(request_now(), [&] { return std::string("pcre JIT compiling result: ") + (compiled ? "1" : "0"); });
  }
  pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
  pattern->match = pcre2_match_data_create_from_pattern(pattern->code, nullptr);
  pattern->context = pcre2_match_context_create(nullptr);
  const auto limit = static_cast<std::uint32_t>(vm.world.regex_match_limit);
  pcre2_set_match_limit(pattern->context, limit ? limit : kMatchLimit);
  return pattern.release();
}

SEAWALL_LUA int seawall_lua_re_groups(void* pattern) { return static_cast<int>(static_cast<Pattern*>(pattern)->groups); }

// The offsets of a match from `from` on, in pairs, ~0 for a group without a part; null: `error` is 0 for none, else PCRE2's.
SEAWALL_LUA const std::size_t* seawall_lua_re_match(void* opaque, const char* text, std::size_t size, std::size_t from, int dfa, int* error) {
  auto& pattern = *static_cast<Pattern*>(opaque);
  int found;
  if (dfa) {
    int space[100];
    found = pcre2_dfa_match(pattern.code, reinterpret_cast<PCRE2_SPTR>(text), size, from, 0, pattern.match, pattern.context, space, 100);
    if (found == 0) found = 1;
  } else {
    found = pcre2_match(pattern.code, reinterpret_cast<PCRE2_SPTR>(text), size, from, 0, pattern.match, pattern.context);
  }
  *error = found == PCRE2_ERROR_NOMATCH ? 0 : found;
  return found > 0 ? pcre2_get_ovector_pointer(pattern.match) : nullptr;
}

// The `index`th name and its group; 0: there are no more.
SEAWALL_LUA int seawall_lua_re_name(void* opaque, int index, const char** out, std::size_t* size) {
  auto& pattern = *static_cast<Pattern*>(opaque);
  std::uint32_t count = 0, entry = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(pattern.code, PCRE2_INFO_NAMECOUNT, &count);
  if (static_cast<std::uint32_t>(index) >= count) return 0;
  pcre2_pattern_info(pattern.code, PCRE2_INFO_NAMEENTRYSIZE, &entry);
  pcre2_pattern_info(pattern.code, PCRE2_INFO_NAMETABLE, &table);
  const unsigned char* row = table + static_cast<std::uint32_t>(index) * entry;
  give(reinterpret_cast<const char*>(row + 2), out, size);
  return row[0] << 8 | row[1];
}
SEAWALL_LUA int seawall_lua_re_cache_size() { return static_cast<int>(Vm::now()->world.regex_cache); }
