// Named groups of regexes as variables: (?<user>...) in a location or a server_name makes $user. One loop; definitions at
// start-up.
#pragma once
#include "seawall/config/regex.h"
#include "seawall/config/variable.h"

namespace seawall {

class Exchange;

// Makes variables of the regex's named groups. Start-up thread.
SEAWALL_API void define_named_captures(const Regex& regex, VariableTable& variables);
// Takes over what they captured, for the rest of the request.
SEAWALL_API void keep_named_captures(Exchange& x, const Regex& regex, const Captures& captures);

}  // namespace seawall
