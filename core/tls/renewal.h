// A TLS context's files as one process has read them, for another that may not: the supervisor's word to its worker when a
// certificate has changed. Any thread.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/tls/pem.h"

namespace seawall {

// Files that were read before.
class SEAWALL_API GivenFiles final : public PemFiles {
 public:
  GivenFiles() = default;
  explicit GivenFiles(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}
  // Reads these from the disk. TlsError: one cannot be read.
  static GivenFiles read(const std::vector<std::string>& names);
  std::string text(const std::string& name) const override;
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  std::map<std::string, std::string> texts_;
};

class Renewal {
 public:
  Renewal(std::size_t context, GivenFiles files) : context(context), files(std::move(files)) {}
  std::size_t context;  // its number among those of the configuration
  GivenFiles files;
};

SEAWALL_API std::string encode(const std::vector<Renewal>& renewals);
// TlsError: cut off or malformed.
SEAWALL_API std::vector<Renewal> decode_renewals(std::string_view bytes);

}  // namespace seawall
