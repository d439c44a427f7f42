// What the kernel says of the worker process that answers, under the names that Prometheus' own clients use. Any thread.
#pragma once

namespace seawall {

class Gathering;
void collect_process(Gathering& out);

}  // namespace seawall
