#include "seawall/server/current_exchange.h"

namespace seawall {
namespace {

thread_local const Exchange* current = nullptr;

}  // namespace

void set_current_exchange(const Exchange& x) { current = &x; }
void forget_exchange(const Exchange& x) {
  if (current == &x) current = nullptr;
}
const Exchange* current_exchange() { return current; }

}  // namespace seawall
