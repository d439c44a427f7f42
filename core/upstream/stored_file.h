// StoredFile: what an upstream answers, on its way into a file of ours (proxy_store and its kin): written under a name of its own in
// the folder of the file, whose place it takes when it is whole. Writes block for as long as the file system takes. One loop.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"
#include "seawall/config/directive.h"
#include "seawall/config/template.h"

namespace seawall {

class Exchange;

// proxy_store on | off | STRING
class StoreTo {
 public:
  bool on = false;
  Template path;  // empty: root and URI
};
SEAWALL_API StoreTo parse_store(const Invocation& in);
// proxy_store_access WHO:RIGHTS ...: a mode. ConfigError in nginx's words.
SEAWALL_API unsigned parse_access(const Invocation& in);

class StoredFile {
 public:
  // Null after a line in the log, and where the settings name no file. Makes the folders that are missing.
  static std::unique_ptr<StoredFile> begin(Exchange& x, const StoreTo& to, unsigned access);
  ~StoredFile();  // nothing is left of it, but for commit()
  StoredFile(const StoredFile&) = delete;

  void append(std::string_view bytes);
  // It is whole: `modified`, seconds since 1970, is when it was changed, as the upstream says.
  void commit(std::optional<std::int64_t> modified);

 private:
  StoredFile(Exchange& x, std::string path, std::string temporary, Fd file)
      : x_(x), path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}
  void fail(const char* call, int error);

  Exchange& x_;
  const std::string path_, temporary_;
  Fd file_;  // none: it has failed, or is in its place
  std::uint64_t size_ = 0;
};

}  // namespace seawall
