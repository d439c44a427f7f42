// Whose work this thread has begun last: what a crash report says about the request. Of one that waited meanwhile and goes on
// nothing tells; the thread may then name another. Any thread, its own.
#pragma once
#include "seawall/base/export.h"

namespace seawall {

class Exchange;
class Location;

void set_current_exchange(const Exchange& x);
void forget_exchange(const Exchange& x);  // it ends
const Exchange* current_exchange();       // null: none

// For a trace: nothing has been begun from now on; in which location was what has been begun last, or has ended? Null: nothing has.
SEAWALL_API void forget_work();
SEAWALL_API const Location* location_of_work();

}  // namespace seawall
