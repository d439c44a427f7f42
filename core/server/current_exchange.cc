#include "seawall/server/current_exchange.h"

#include "seawall/server/exchange.h"

namespace seawall {
namespace {

thread_local const Exchange* current = nullptr;
// For a trace, which leaves alone what a crash report names.
thread_local bool has_begun = false;
thread_local const Location* ended_in = nullptr;

}  // namespace

void set_current_exchange(const Exchange& x) {
  current = &x;
  has_begun = true;
}
void forget_exchange(const Exchange& x) {
  if (current != &x) return;
  current = nullptr;
  if (has_begun) ended_in = x.location;
}
const Exchange* current_exchange() { return current; }

void forget_work() {
  has_begun = false;
  ended_in = nullptr;
}

const Location* location_of_work() { return has_begun && current ? current->location : ended_in; }

}  // namespace seawall
