// Trailers: fields after the body, whose values are taken when the body has been sent. One loop.
#pragma once
#include <vector>

#include "added_field.h"

namespace seawall::headers {

// Makes the body one that ends with those of `fields` that apply to this response, where the protocol can carry them.
// `fields` outlive the response.
void add_trailers(const std::vector<AddedField>& fields, Exchange& x, Response& response);

}  // namespace seawall::headers
