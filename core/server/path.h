// From a URI to the file it names: root and alias. What a client can say never leads out of there: a path in which it
// would bring a "..", or a NUL, is refused, wherever the URI came from. Any loop.
//
//   std::string path;
//   if (const int status = path_of(x, path)) return Response(status);
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

// The path of x.uri's file, into `path` (whose memory is reused). 0, or the status that answers instead; the error log
// then says why.
SEAWALL_API int path_of(Exchange& x, std::string& path);

// Only what stands before the URI (or before what alias leaves of it): for names that a module appends itself, each
// checked with stays_below().
SEAWALL_API int root_path_of(Exchange& x, std::string& path);

// No "..", no NUL in what follows the first `trusted` bytes. A segment that begins inside them and ends behind counts: an
// alias "/files" in front of "../x" leaves it, too.
SEAWALL_API bool stays_below(std::string_view path, std::size_t trusted);

// Logs that `path` was refused for not staying below; the status that answers.
SEAWALL_API int refuse_path(const Exchange& x, std::string_view path);

}  // namespace seawall
