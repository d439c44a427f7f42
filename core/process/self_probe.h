// SelfProbe: a new worker asks its own servers, over socket pairs, whether they answer, before it says that it serves: a handshake
// of each certificate, one request of each address. The request is one that no handler sees (it has no Host) and no log.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "seawall/server/http_conf.h"
#include "seawall/server/loop_server.h"
#include "seawall/server/probe.h"

namespace seawall {

class SelfProbe {
 public:
  SelfProbe(const HttpConf& http, LoopServer& server) : http_(http), server_(server) {}
  ~SelfProbe();  // stops asking

  // Asks from a thread of its own, which waits where the loop must not. `done` is called on the loop's thread, once: what is wrong,
  // or "" when all answer.
  void start(std::function<void(std::string)> done);

 private:
  std::string ask_all();
  std::string ask(const Endpoint& endpoint, const Vhost& vhost);

  const HttpConf& http_;
  LoopServer& server_;
  std::deque<Probe> probes_;  // they outlive their connections
  std::thread thread_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace seawall
