// gunzip: the body as it was before gzip, for clients that cannot read it. One loop.
#pragma once
#include <memory>

#include "seawall/http/body.h"

namespace seawall {
class Exchange;
}

namespace seawall::compress {

// Null: no memory. What is no gzip, or ends too soon, is an error of the Reader, with a line in the error log.
std::unique_ptr<Reader> gunzip(Exchange& x, std::unique_ptr<Reader> body);

}  // namespace seawall::compress
