// The head of a CGI response (RFC 3875 6), as FastCGI, uwsgi and SCGI servers send it: fields, of which Status and Location say
// what it is; a status line of HTTP in front of them is taken, too. Pure; any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/upstream/protocol.h"

namespace seawall {

// Reads the head at the front of `in`: its size, or nothing when it is not all here. Error: bad_request, and `complaint` says why
// (nginx's words). The head's fields are copies.
SEAWALL_API Result<std::optional<std::size_t>> parse_cgi_head(std::string_view in, UpstreamHead& head, std::string& complaint);

}  // namespace seawall
