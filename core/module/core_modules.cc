#include "seawall/module/core_modules.h"

#include "seawall/server/core_module.h"
#include "seawall/server/live_explain.h"
#include "seawall/server/trace_context.h"
#include "seawall/server/worker_module.h"
#include "seawall/upstream/resolver_module.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {

std::span<const Module> core_modules() {
  static const Module modules[] = {describe<MainModule>(), describe<CoreModule>(), describe<FilesModule>(),
                                   describe<BlocksModule>(), describe<TlsModule>(), describe<Http2Module>(),
                                   describe<UpstreamModule>(), describe<ResolverModule>(), describe<ExplainModule>(),
                                   describe<WorkerModule>(), describe<TraceModule>()};
  return modules;
}

}  // namespace seawall
