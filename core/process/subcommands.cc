#include "seawall/process/subcommands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "seawall/module/loader.h"
#include "seawall/process/directive_tables.h"
#include "seawall/process/explain.h"
#include "seawall/process/module_command.h"
#include "seawall/process/options.h"
#include "seawall/process/routes.h"
#include "seawall/process/tls_check.h"

namespace seawall {
namespace {

// A command's arguments, and what it does with them: false when it has said why it could not.
class Commands {
 public:
  Commands() {
    app_.require_subcommand(1);
    auto* index = app_.add_subcommand("index-modules", "write modules.index of a directory of modules");
    index->add_option("directory", argument_)->required();
    index->callback([this] {
      write_module_index(argument_, [](const std::string& text) { std::cerr << "seawall: [warn] " << text << "\n"; });
    });
    auto* tables = app_.add_subcommand("directives", "the directives of a module as a Markdown table; without a name the modules");
    tables->add_option("module", argument_);
    tables->callback([this] { done_ = argument_.empty() ? print_module_names() : print_directive_table(argument_); });
    auto* refused = app_.add_subcommand("refused", "the directives of nginx that are not supported yet");
    refused->callback([this] { done_ = print_refused_names(); });
    auto* routes = app_.add_subcommand("routes", "the servers and locations of a configuration, and who answers there");
    routes->add_option("-c", options_.conf, "the configuration, as in a start");
    routes->add_option("-p", options_.prefix, "the prefix");
    routes->add_option("-g", options_.globals, "global directives");
    routes->add_flag("--timeouts", timeouts_, "and how long each phase of a request may take; * where it is not the default");
    routes->callback([this] {
      complete(options_);
      done_ = print_routes(options_, timeouts_);
    });
    auto* explained = app_.add_subcommand("explain", "what the servers of a configuration would do with a request, and why");
    explained->add_option("-c", options_.conf, "the configuration, as in a start");
    explained->add_option("-p", options_.prefix, "the prefix");
    explained->add_option("-g", options_.globals, "global directives");
    explained->add_option("-H", question_.headers, "a header field, \"Name: value\"")->allow_extra_args(false);
    explained->add_option("--from", question_.from, "the client's address; 127.0.0.1 without it");
    explained->add_option("method", question_.method, "GET, POST ...")->required();
    explained->add_option("url", question_.url, "http://host[:port]/path")->required();
    explained->callback([this] {
      complete(options_);
      done_ = explain(options_, question_);
    });
    auto* check = app_.add_subcommand("tls-check", "what an auditor would find at the TLS servers of a configuration; fails below A");
    check->add_option("-c", options_.conf, "the configuration, as in a start");
    check->add_option("-p", options_.prefix, "the prefix");
    check->add_option("-g", options_.globals, "global directives");
    check->add_option("--ca", authorities_, "a PEM file of authorities to trust besides the system's");
    check->add_option("host", argument_, "only servers of this name");
    check->callback([this] {
      complete(options_);
      done_ = check_tls(options_, argument_, authorities_);
    });
    auto* acme = app_.add_subcommand("acme", "certificates of ACME: list, renew NAME, revoke NAME, import-certbot FOLDER, test [NAME]");
    acme->add_option("-c", options_.conf, "the configuration, as in a start");
    acme->add_option("-p", options_.prefix, "the prefix");
    acme->add_option("-g", options_.globals, "global directives");
    acme->add_option("words", words_)->required();
    acme->callback([this] {
      complete(options_);
      done_ = run_module_command("acme", options_, words_);
    });
  }

  bool has(const std::string& name) const {
    const auto all = app_.get_subcommands([](const CLI::App*) { return true; });
    return std::any_of(all.begin(), all.end(), [&](const CLI::App* command) { return command->get_name() == name; });
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
      return done_ ? 0 : 1;
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
      std::cerr << "seawall: " << error.what() << "\n";
      return 1;
    }
  }

 private:
  CLI::App app_{"seawall: serves nginx configurations over HTTP and HTTPS", "seawall"};
  std::string argument_, authorities_;
  std::vector<std::string> words_;
  Options options_;
  Question question_;
  bool timeouts_ = false;
  bool done_ = true;
};

}  // namespace

bool is_subcommand(int argc, char** argv) { return argc > 1 && Commands().has(argv[1]); }

int run_subcommand(int argc, char** argv) { return Commands().run(argc, argv); }

}  // namespace seawall
