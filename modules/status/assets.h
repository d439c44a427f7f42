// The files of the live page, as they lie beside this one.
#pragma once
#include <string_view>

namespace seawall::status {

extern const std::string_view kPageHtml, kPageCss, kPageJs;

}  // namespace seawall::status
