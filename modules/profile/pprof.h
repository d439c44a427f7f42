// profile.proto of pprof, gzipped: what `go tool pprof`, speedscope and others open. Any thread.
#pragma once
#include <string>

#include "profile_data.h"
#include "symbols.h"

namespace seawall::profile {

std::string pprof_of(const ProfileData& data, Symbols& symbols);

}  // namespace seawall::profile
