// The text that `seawall explain` prints, and that explain_token gives to who knows the token: what was decided about a request,
// and every directive in force where it was answered. Any loop.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace seawall {

class Endpoint;
class Location;
class Trace;

// `head`: of the response, as HTTP/1 has it; empty: there is none.
std::string explanation_of(const Endpoint& endpoint, const Trace& trace, std::string_view head);

// Who knows the configuration as it was written (process/directives_in_force.h): each line with its end. Set at start-up, for all
// loops.
void set_directives_in_force(std::function<std::string(const Location&)> teller);

}  // namespace seawall
