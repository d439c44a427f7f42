#include "seawall/server/header_limit.h"

namespace seawall {

HeaderLimit::Hold HeaderLimit::enter(const Address& address) {
  std::string key(address.binary());
  if (key.size() == 16) key.resize(8);
  std::lock_guard lock(mutex_);
  std::int64_t& count = waiting_[key];
  const bool limited = limit_ > 0 && !address.is_unix();  // behind a socket of this machine all clients are one address
  if (limited && count >= limit_) return Hold();
  ++count;
  return Hold(this, std::move(key));
}

void HeaderLimit::leave(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto it = waiting_.find(key);
  if (--it->second == 0) waiting_.erase(it);
}

}  // namespace seawall
