#include "seawall/server/staple_fetch.h"

#include <algorithm>
#include <ctime>
#include <string>

#include "seawall/log/log.h"
#include "seawall/server/ocsp_fetch.h"
#include "seawall/tls/error.h"
#include "seawall/tls/stapling.h"

namespace seawall {
namespace {

constexpr std::size_t kAtOnce = 16;
constexpr std::int64_t kLongestSleep = 3600;

void complain(const Staple& staple, const std::string& what) {
  log(Level::error, what + " while requesting certificate status, responder: " + staple.responder().host +
                        ", certificate: \"" + staple.name() + "\"");
}

Task<void> fetch(std::shared_ptr<Staple> staple) {
  std::string complaint = "no address", request;
  try {
    request = ocsp_request(staple->responder(), staple->request());
  } catch (const TlsError& error) {
    complaint = error.what();
  }
  for (const Address& address : staple->responder().addresses) {
    if (request.empty()) break;
    Result<std::string> response = co_await ask_ocsp_responder(address, request);
    if (!response) {
      if (response.error() == Errc::cancelled) co_return;
      complaint = describe(response.error());
      continue;
    }
    try {
      staple->take(ocsp_body(*response), std::time(nullptr));
      co_return;
    } catch (const TlsError& error) {
      complaint = error.what();
    }
  }
  complain(*staple, complaint);
  staple->failed(std::time(nullptr));
}

std::vector<std::shared_ptr<Staple>> all_of(const std::vector<std::shared_ptr<TlsContext>>& contexts) {
  std::vector<std::shared_ptr<Staple>> all;
  for (const auto& context : contexts)
    for (auto& staple : staples_of(context->current().get()))
      if (staple->is_fetched()) all.push_back(std::move(staple));
  return all;
}

// Fetches those that are due, some at a time.
Task<void> fetch_due(std::vector<std::shared_ptr<Staple>> staples) {
  Scope& around = co_await current_scope();
  Scope work(&around);
  const std::int64_t now = std::time(nullptr);
  for (auto& staple : staples) {
    if (staple->due() > now) continue;
    work.spawn(fetch(staple));
    if (work.tasks() >= kAtOnce) co_await work.join();
  }
  co_await work.join();
}

}  // namespace

Task<void> keep_stapled(std::vector<std::shared_ptr<TlsContext>> contexts, Event& renewed) {
  for (;;) {
    renewed.reset();
    co_await fetch_due(all_of(contexts));
    const std::int64_t now = std::time(nullptr);
    std::int64_t next = now + kLongestSleep;
    for (const auto& staple : all_of(contexts)) next = std::min(next, staple->due());
    const Milliseconds pause(std::max<std::int64_t>(next - now, 1) * 1000);
    const Errc waited = co_await renewed.wait(Deadline::in(pause, Wait::upstream_read));
    if (waited == Errc::cancelled) co_return;
  }
}

}  // namespace seawall
