// nginx's letters are scanned as nginx does it, not by a library: letters may share a dash (-tq), an argument may touch its
// letter (-cFILE) or follow a group (-tc FILE), the last of several -c counts, and tools read the wording of the errors.
#include "seawall/process/command_line.h"

#include <iostream>
#include <stdexcept>

#include "seawall/process/config_test.h"
#include "seawall/process/send_signal.h"
#include "seawall/process/subcommands.h"
#include "seawall/process/version.h"

namespace seawall {
namespace {

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument(message); }

// The letters that take an argument: where it goes, and what nginx calls it when it is missing.
struct Argument {
  char letter;
  std::string Options::*into;
  const char* called;
};
constexpr Argument kArguments[] = {{'p', &Options::prefix, "directory name"}, {'e', &Options::error_log, "file name"},
                                   {'c', &Options::conf, "file name"}, {'g', &Options::globals, "parameter"},
                                   {'s', &Options::signal, "parameter"}};

const Argument* argument_of(char letter) {
  for (const Argument& argument : kArguments)
    if (argument.letter == letter) return &argument;
  return nullptr;
}

void set_flag(Options& options, char letter) {
  switch (letter) {
    case '?': case 'h': options.help = options.version = true; return;
    case 'v': options.version = true; return;
    case 'V': options.build = options.version = true; return;
    case 't': options.test = true; return;
    case 'T': options.test = options.dump = true; return;
    case 'q': options.quiet = true; return;
    default: fail("invalid option: \"" + std::string(1, letter) + "\"");
  }
}

Options scan(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with('-')) fail("invalid option: \"" + std::string(word) + "\"");
    for (std::size_t at = 1; at < word.size(); ++at) {
      const Argument* argument = argument_of(word[at]);
      if (!argument) {
        set_flag(options, word[at]);
        continue;
      }
      const bool touching = at + 1 < word.size();
      if (!touching && ++i >= argc) fail("option \"-" + std::string(1, word[at]) + "\" requires " + argument->called);
      options.*argument->into = touching ? std::string(word.substr(at + 1)) : argv[i];
      break;
    }
  }
  if (!options.signal.empty() && signal_of(options.signal) == 0) fail("invalid option: \"-s " + options.signal + "\"");
  return options;
}

}  // namespace

std::optional<Options> read_command_line(int argc, char** argv, int& exit_code) {
  exit_code = 0;
  if (is_subcommand(argc, argv)) {
    exit_code = run_subcommand(argc, argv);
    return std::nullopt;
  }
  Options options;
  try {
    options = scan(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::cerr << "nginx: " << error.what() << "\n";
    exit_code = 1;
    return std::nullopt;
  }
  if (options.version) print_version(options);
  if (options.version && !options.test) return std::nullopt;
  complete(options);
  if (options.test) exit_code = test_configuration(options);
  else if (!options.signal.empty()) exit_code = send_signal(options);
  else return options;
  return std::nullopt;
}

}  // namespace seawall
