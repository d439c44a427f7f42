#include "if.h"

#include "rewrite.h"
#include "seawall/server/probe.h"
#include "seawall/server/unnamed_location.h"

namespace seawall::rewrite {

If::If(const Invocation& in) : written_(as_written(in)), condition_(in) {
  const bool in_server = in.where == kServer || in.where == kServerIf;
  const Location& block = open_unnamed(in, in_server ? kServerIf : kLocationIf);
  if (!in_server) location_ = &block;
  const int module = module_number<Rewrite>;
  if (block.settings->owns(module)) inner_ = static_cast<const Conf*>(in.binder.own(*block.settings, module));
}

Outcome If::run(Exchange& x, Progress& progress) const {
  const Condition::Answer answer = condition_.ask(x);
  tell(x, [&] { return written_ + (answer == Condition::Answer::yes ? ": yes" : ": no"); });
  switch (answer) {
    case Condition::Answer::failed: return Response(500);
    case Condition::Answer::no: return Next{};
    case Condition::Answer::yes: break;
  }
  if (location_) {
    const bool changed = x.uri_changed_here;  // by an instruction in front of the block, which is a part of the same location
    x.enter(*location_);
    x.uri_changed_here = changed;
  }
  return inner_ ? run_all(x, inner_->instructions, progress) : Next{};
}

}  // namespace seawall::rewrite
