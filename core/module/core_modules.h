// The core's own tables as module descriptors, in the order in which they are numbered.
#pragma once
#include <span>

#include "seawall/module/module.h"

namespace seawall {

std::span<const Module> core_modules();

}  // namespace seawall
