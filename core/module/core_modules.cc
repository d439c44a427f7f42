#include "seawall/module/core_modules.h"

#include "seawall/server/core_module.h"

namespace seawall {

std::span<const Module> core_modules() {
  static const Module modules[] = {describe<MainModule>(), describe<CoreModule>(), describe<FilesModule>(),
                                   describe<BlocksModule>(), describe<TlsModule>(), describe<Http2Module>()};
  return modules;
}

}  // namespace seawall
