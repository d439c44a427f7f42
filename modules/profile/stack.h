// The stack of the calling thread, as addresses: of a sampled allocation, or in a signal handler of what it has interrupted.
#pragma once
#include <cstddef>
#include <cstdint>

namespace seawall::profile {

inline constexpr std::size_t kDeepest = 64;

// Finds the libraries that the others must know of; what unwinding needs is loaded then, not in a signal handler.
void prepare_stacks();
// Of the caller's caller; the number of frames.
std::size_t own_stack(std::uintptr_t (&frames)[kDeepest]);
// `context`: the handler's ucontext_t. A thread that is about to unwind for itself (an exception, an error of Lua) may hold a lock
// of libgcc's, and LuaJIT's assembler does not tell of its frames at each instruction: then the one frame that the processor tells
// is all. Both end at the first frame of LuaJIT's.
std::size_t interrupted_stack(const void* context, std::uintptr_t (&frames)[kDeepest]);

}  // namespace seawall::profile
