// The index page: what there is to look at.
#pragma once
#include <string>

namespace seawall::profile {

// `base`: the path of the page's folder, which its links begin with.
std::string index_page(const std::string& base, int loops);

}  // namespace seawall::profile
