// The core's own tables, in the form of modules: settings of main and events, the http settings every location inherits,
// the blocks (http, server, location), TLS and HTTP/2. module/core_modules.h makes their descriptors; the
// loader registers them before any module.
#pragma once
#include <span>
#include <string>

#include "seawall/config/directive.h"
#include "seawall/config/variable.h"
#include "seawall/route/step.h"
#include "seawall/server/core_blocks.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/file_cache.h"
#include "seawall/server/h2_conf.h"
#include "seawall/server/tls_conf.h"

namespace seawall {

struct MainModule {
  using Conf = MainConf;
  static constexpr const char* name = "main";
  static constexpr const char* summary = "the process: loops, limits, files, privileges";
  static const std::span<const Directive> directives;
};

struct CoreModule {
  using Conf = CoreConf;
  static constexpr const char* name = "core";
  static constexpr const char* summary = "requests, responses and their deadlines";
  struct State {
    std::string charset;  // server/told_charset.h
  };
  static const std::span<const Directive> directives;
  static const std::span<const Filter> filters;
  static const std::span<const VariableRow> variables;
};

struct FilesModule {
  using Conf = FileConf;
  using LoopState = FileCaches;
  static constexpr const char* name = "files";
  static constexpr const char* summary = "how files are found, kept and sent";
  static const std::span<const Directive> directives;
};

struct BlocksModule {
  using Conf = CoreBlocks;
  static constexpr const char* name = "server";
  static constexpr const char* summary = "http, server and location blocks, listen and server_name";
  static const std::span<const Directive> directives;
};

struct Http2Module {
  using Conf = Http2Conf;
  static constexpr const char* name = "http2";
  static constexpr const char* summary = "HTTP/2";
  static const std::span<const Directive> directives;
};

struct TlsModule {
  using Conf = TlsConf;
  static constexpr const char* name = "ssl";
  static constexpr const char* summary = "TLS of a server";
  static const std::span<const Directive> directives;
  static const std::span<const VariableRow> variables;
};

// A bound that may be taken away by 0 or off, but not unnoticed: -t and the log say so (B18).
Directive warn_when_off(Directive row);

}  // namespace seawall
