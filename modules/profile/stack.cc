#include "stack.h"

#include <dlfcn.h>
#include <link.h>
#include <ucontext.h>
#include <unwind.h>

#include <array>
#include <cstring>
#include <iterator>

namespace seawall::profile {
namespace {

constexpr std::size_t kLookedThrough = 1024;  // bytes of the stack

class Range {
 public:
  bool has(std::uintptr_t address) const { return address >= begin && address < end; }
  std::uintptr_t begin = 0, end = 0;
};
Range unwinder, scripts, c_library, linker;  // the code of libgcc, LuaJIT, libc and ld.so

Range* range_of(const char* library) {
  if (std::strstr(library, "libgcc_s.so")) return &unwinder;
  if (std::strstr(library, "libluajit")) return &scripts;
  if (std::strstr(library, "/libc.so")) return &c_library;
  return std::strstr(library, "/ld-linux") ? &linker : nullptr;
}

int find_libraries(dl_phdr_info* info, std::size_t, void*) {
  Range* const range = range_of(info->dlpi_name);
  for (int i = 0; range && i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    range->begin = info->dlpi_addr + part.p_vaddr;
    range->end = range->begin + part.p_memsz;
  }
  return 0;
}

// The calls of the kernel in which a loop is mostly met. libgcc makes none of them.
constexpr const char* kCalls[] = {"epoll_wait", "read", "write", "readv", "writev", "send", "sendto", "sendmsg", "sendfile", "recv",
                                  "recvfrom", "recvmsg", "accept4", "connect", "close", "openat", "open", "pread"};
std::array<Range, std::size(kCalls)> calls;

void find_calls() {
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Dl_info info;
    ElfW(Sym)* symbol = nullptr;
    void* const address = ::dlsym(RTLD_DEFAULT, kCalls[i]);
    if (!address || !::dladdr1(address, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT) || !symbol) continue;
    calls[i].begin = reinterpret_cast<std::uintptr_t>(address);
    calls[i].end = calls[i].begin + symbol->st_size;
  }
}

bool is_of_a_file(std::uintptr_t address) {
  dl_find_object found;
  return ::_dl_find_object(reinterpret_cast<void*>(address), &found) == 0;
}

// Goes up to LuaJIT, and to what it has compiled: what its assembler and its traces say of their frames is true for exceptions alone,
// and a walk that goes astray there ends the process.
class Walk {
 public:
  Walk(std::uintptr_t (&frames)[kDeepest], std::size_t skip, std::uintptr_t from) : frames_(frames), skip_(skip), from_(from) {}
  std::size_t run() {
    ::_Unwind_Backtrace(step, this);
    return count_;
  }

 private:
  static _Unwind_Reason_Code step(_Unwind_Context* context, void* walk) { return static_cast<Walk*>(walk)->take(context); }
  _Unwind_Reason_Code take(_Unwind_Context* context) {
    int is_exact = 0;
    const std::uintptr_t at = ::_Unwind_GetIPInfo(context, &is_exact);
    if (at == from_) skip_ = 0;
    else if (skip_ > 0) return --skip_, _URC_NO_REASON;
    if (at == 0) return _URC_END_OF_STACK;
    frames_[count_++] = is_exact ? at : at - 1;
    return count_ == kDeepest || scripts.has(at) || !is_of_a_file(at) ? _URC_END_OF_STACK : _URC_NO_REASON;
  }
  std::uintptr_t (&frames_)[kDeepest];
  std::size_t skip_;
  const std::uintptr_t from_;  // begins here, where that is known
  std::size_t count_ = 0;
};

#if defined(__x86_64__)
std::uintptr_t program_counter(const ucontext_t& at) { return static_cast<std::uintptr_t>(at.uc_mcontext.gregs[REG_RIP]); }
std::uintptr_t stack_pointer(const ucontext_t& at) { return static_cast<std::uintptr_t>(at.uc_mcontext.gregs[REG_RSP]); }
#elif defined(__aarch64__)
std::uintptr_t program_counter(const ucontext_t& at) { return at.uc_mcontext.pc; }
std::uintptr_t stack_pointer(const ucontext_t& at) { return at.uc_mcontext.sp; }
#else
#error "the profiler knows x86-64 and arm64"
#endif

// Does this thread, perhaps, hold libgcc's lock? Holding it, libgcc calls libc and ld.so alone, and they go no deeper than what is
// looked through. An address that an earlier call has left there is taken for one, too. The frames of a loop's turn alone are
// deeper: all of it is there.
[[gnu::no_sanitize("address")]] bool is_unwinding(const ucontext_t& at) {
  const std::uintptr_t here = program_counter(at);
  if (unwinder.has(here)) return true;
  if (!c_library.has(here) && !linker.has(here)) return false;
  for (const Range& call : calls)
    if (call.has(here)) return false;
  const std::uintptr_t from = stack_pointer(at) & ~(sizeof(std::uintptr_t) - 1);
  for (std::uintptr_t word = from; word < from + kLookedThrough; word += sizeof word)
    if (unwinder.has(*reinterpret_cast<const std::uintptr_t*>(word))) return true;
  return false;
}

}  // namespace

void prepare_stacks() {
  std::uintptr_t frames[kDeepest];
  own_stack(frames);
  ::dl_iterate_phdr(find_libraries, nullptr);
  find_calls();
}

std::size_t own_stack(std::uintptr_t (&frames)[kDeepest]) {
  constexpr std::size_t kOwn = 3;  // run(), this and its caller
  return Walk(frames, kOwn, 0).run();
}

std::size_t interrupted_stack(const void* context, std::uintptr_t (&frames)[kDeepest]) {
  const ucontext_t& at = *static_cast<const ucontext_t*>(context);
  const std::uintptr_t here = program_counter(at);
  frames[0] = here;
  if (is_unwinding(at) || scripts.has(here) || !is_of_a_file(here)) return 1;
  const std::size_t count = Walk(frames, kDeepest, here).run();
  if (count > 0) return count;
  frames[0] = here;
  return 1;
}

}  // namespace seawall::profile
