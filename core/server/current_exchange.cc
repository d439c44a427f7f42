#include "seawall/server/current_exchange.h"

#include "seawall/server/exchange.h"

namespace seawall {
namespace {

thread_local const Exchange* current = nullptr;
thread_local const Location* ended_in = nullptr;

}  // namespace

void set_current_exchange(const Exchange& x) { current = &x; }
void forget_exchange(const Exchange& x) {
  if (current != &x) return;
  current = nullptr;
  ended_in = x.location;
}
const Exchange* current_exchange() { return current; }

void forget_work() {
  current = nullptr;
  ended_in = nullptr;
}

const Location* location_of_work() { return current ? current->location : ended_in; }

}  // namespace seawall
