// CertificateWatch: notices that a file of a TLS context has changed and makes it hold without a reload. It lives in the
// supervisor, which may read keys. Supervisor thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seawall/base/fd.h"
#include "seawall/server/http_conf.h"
#include "seawall/tls/renewal.h"

namespace seawall {

class CertificateWatch {
 public:
  // Sends SIGIO to this process when something happens in a folder of these files; the signal must be blocked.
  explicit CertificateWatch(const HttpConf& http);

  // SIGIO came: look soon, when who is writing has finished.
  void heard();
  // When to look next; nothing: there are no files.
  std::optional<std::chrono::steady_clock::time_point> due() const { return due_; }
  // Renews the contexts whose files have changed, here; what a worker must hear comes back. A bad pair is refused with a line
  // in the log, and the present one stays.
  std::vector<Renewal> look();

 private:
  struct Watched {
    std::shared_ptr<TlsContext> context;
    std::size_t number;
    std::vector<std::string> files;
    FileStamps stamps;
  };
  void listen_around(const std::string& path);
  void listen();

  std::vector<Watched> watched_;
  Fd inotify_;
  std::optional<std::chrono::steady_clock::time_point> due_;
};

// A descriptor with the renewals in its memory, sent over `channel`. False: errno says why not.
bool send_renewals(int channel, const std::vector<Renewal>& renewals);
// One that was sent; empty: none is there now. TlsError: it cannot be read.
std::vector<Renewal> receive_renewals(int channel);

}  // namespace seawall
