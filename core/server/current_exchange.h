// Whose work this thread has begun last: what a crash report says about the request. Of one that waited meanwhile and goes on
// nothing tells; the thread may then name another. Any thread, its own.
#pragma once
namespace seawall {

class Exchange;

void set_current_exchange(const Exchange& x);
void forget_exchange(const Exchange& x);  // it ends
const Exchange* current_exchange();       // null: none

}  // namespace seawall
