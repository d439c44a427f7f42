// Commands of our own, a word instead of a letter: `seawall directives gzip`. Nothing of nginx's starts without a dash.
#pragma once

namespace seawall {

// Is the first argument one of them?
bool is_subcommand(int argc, char** argv);
// Runs it; the exit code.
int run_subcommand(int argc, char** argv);

}  // namespace seawall
