#include "seawall/server/worker_life.h"

namespace seawall {

// Never destroyed: a task that a second signal has cut short may still wait when the process exits.
WorkerLife& WorkerLife::ours() {
  static WorkerLife* const life = new WorkerLife;
  return *life;
}

void WorkerLife::serve() {
  for (Stages& one : all_) one.serves.set();
}

void WorkerLife::retire() {
  for (Stages& one : all_) one.retires.set();
}

}  // namespace seawall
