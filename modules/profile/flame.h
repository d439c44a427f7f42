// A profile as a flame graph: one SVG without scripts, the outermost functions at the top; a tooltip has each frame's whole name and
// share. Any thread.
#pragma once
#include <string>

#include "profile_data.h"
#include "symbols.h"

namespace seawall::profile {

std::string flame_graph_of(const ProfileData& data, Symbols& symbols, const std::string& title);

}  // namespace seawall::profile
