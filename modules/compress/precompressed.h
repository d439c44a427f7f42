// gzip_static, brotli_static, zstd_static: the file beside a file that holds it in a content coding. Any loop.
#pragma once
#include "conf.h"

namespace seawall::compress {

bool has_precompressed(const Conf& conf);
Outcome serve_precompressed(Exchange& x, const Conf& conf);

}  // namespace seawall::compress
