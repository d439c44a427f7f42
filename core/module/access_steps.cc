#include "seawall/module/access_steps.h"

#include "seawall/module/loader.h"

namespace seawall {

bool has_access_step(Binder& binder, const Settings& settings) {
  const auto& loader = static_cast<const Loader&>(binder.source());  // there is no other
  for (int number = 0; number < loader.modules(); ++number)
    for (const Step& step : loader.module(number).steps)
      if (step.phase == Phase::access && step.active(settings.get(number))) return true;
  return false;
}

}  // namespace seawall
