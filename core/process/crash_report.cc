#include "seawall/process/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "seawall/base/check.h"
#include "seawall/base/crash_output.h"
#include "seawall/server/current_exchange.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

constexpr int kFrames = 64;
constexpr std::size_t kStack = 64 * 1024;
constexpr std::size_t kLongest = 1024;  // of a request line: a crash report is no place for a client's novel

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t n = ::write(crash_output(), text.data(), text.size());
}

volatile sig_atomic_t said_request = 0;

// Only what a signal handler may do. What a client has sent may not forge a line.
void say_request() {
  if (said_request) return;  // by the CHECK that aborts
  said_request = 1;
  const Exchange* x = current_exchange();
  if (!x) return say("[alert] no request was at work on this thread\n");
  char line[kLongest];
  const std::string_view request = x->request.request_line.substr(0, sizeof line);
  for (std::size_t i = 0; i < request.size(); ++i) line[i] = static_cast<unsigned char>(request[i]) < ' ' || request[i] == 127 ? '?' : request[i];
  say("[alert] the request at work on this thread: \"");
  say({line, request.size()});
  say("\"\n");
}

[[maybe_unused]] void report(int signal) {
  say("[alert] worker process crashes on signal ");
  const char digits[] = {static_cast<char>('0' + signal / 10), static_cast<char>('0' + signal % 10), '\n'};
  say({digits, sizeof digits});
  say_request();
  void* frames[kFrames];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, kFrames), crash_output());
  ::raise(signal);  // the handler is gone (SA_RESETHAND)
}

}  // namespace

void install_crash_report() {
  set_check_context(say_request);
#ifndef __SANITIZE_ADDRESS__
  void* frame[1];
  ::backtrace(frame, 1);  // loads what it needs now, not in the handler
  struct sigaction action {};
  action.sa_handler = report;
  action.sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigaction(signal, &action, nullptr);
#endif
}

CrashStack::CrashStack() : memory_(new char[kStack]) {
#ifndef __SANITIZE_ADDRESS__
  stack_t stack{};
  stack.ss_sp = memory_.get();
  stack.ss_size = kStack;
  ::sigaltstack(&stack, nullptr);
#endif
}

CrashStack::~CrashStack() {
#ifndef __SANITIZE_ADDRESS__
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
#endif
}

}  // namespace seawall
