#include "seawall/process/explain.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>

#include "seawall/base/text.h"
#include "seawall/log/log.h"
#include "seawall/net/loop.h"
#include "seawall/process/configuration.h"
#include "seawall/process/own_client.h"
#include "seawall/server/explanation.h"
#include "seawall/server/header_limit.h"
#include "seawall/server/loop_server.h"
#include "seawall/server/probe.h"

namespace seawall {
namespace {

// http://host:port/target
class Url {
 public:
  explicit Url(const std::string& text) {
    const auto scheme = text.find("://");
    if (scheme == std::string::npos) throw std::runtime_error("\"" + text + "\" is no URL: http://host[:port]/path");
    const std::string name = text.substr(0, scheme);
    if (name != "http" && name != "https") throw std::runtime_error("\"" + name + "\" is no scheme of this server");
    tls = name == "https";
    const auto slash = std::min(text.find_first_of("/?", scheme + 3), text.size());
    authority = text.substr(scheme + 3, slash - scheme - 3);
    target = text.substr(slash);
    if (!target.starts_with('/')) target.insert(0, "/");
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
    host = authority.substr(0, has_port ? colon : std::string::npos);
    const auto number = has_port ? parse_decimal(authority.substr(colon + 1)) : std::optional<std::uint64_t>(tls ? 443 : 80);
    if (host.empty() || !number || *number == 0 || *number > 65535) throw std::runtime_error("\"" + authority + "\" is no host and port");
    port = static_cast<std::uint16_t>(*number);
  }
  bool tls = false;
  std::string authority, host, target;
  std::uint16_t port = 0;
};

// The address that the host is, else a wildcard, else the first with that port.
const Endpoint& endpoint_of(const HttpConf& http, const Url& url) {
  const auto host = Address::parse(url.host, url.port);
  const Endpoint* found = nullptr;
  const auto rank = [&](const Endpoint& endpoint) {
    return host && endpoint.address == *host ? 2 : endpoint.address.is_wildcard() ? 1 : 0;
  };
  for (const Endpoint& endpoint : http.endpoints.all()) {
    if (endpoint.address.is_unix() || endpoint.address.port() != url.port || endpoint.options.ssl != url.tls) continue;
    if (!found || rank(endpoint) > rank(*found)) found = &endpoint;
  }
  if (!found) throw std::runtime_error("no server listens on port " + std::to_string(url.port) + (url.tls ? " with ssl" : " without ssl"));
  return *found;
}

std::string request_of(const Question& question, const Url& url) {
  std::string text = question.method + " " + url.target + " HTTP/1.1\r\n";
  const auto names_host = [](const std::string& line) { return equals_ignoring_case(std::string_view(line).substr(0, 5), "host:"); };
  if (std::none_of(question.headers.begin(), question.headers.end(), names_host)) text += "Host: " + url.authority + "\r\n";
  for (const std::string& line : question.headers) text += line + "\r\n";
  return text + "Connection: close\r\n\r\n";
}

// The head of what the server says; empty when it closes without a word.
std::string head_of(OwnClient& client) {
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos)
    if (client.read(answer) != OwnClient::Read::some) break;
  return answer.substr(0, answer.find("\r\n\r\n"));
}

// Runs the server on this thread, for one request of another.
class Inquiry {
 public:
  Inquiry(const Configuration& conf, const Endpoint& endpoint) : conf_(conf), probe_(endpoint) { probe_.trace = &trace_; }

  Trace& trace() { return trace_; }
  void come_from(const Address& from) { probe_.from = from; }

  std::string ask(const Url& url, const std::string& request) {
    conf_.adopt();
    Loop loop(0);
    HeaderLimit header_limit(*conf_.main().limit_conn_header);
    LoopServer server(loop, *conf_.main().worker_connections, header_limit);
    start_modules(loop);
    OwnClient client;
    server.serve_probe(client.take_server_end(), probe_);
    std::string answer;
    std::thread thread([&] {
      answer = say(client, url, request);
      loop.post([&] {
        server.terminate();
        loop.scope().cancel();
        loop.stop();
      });
    });
    loop.run();
    thread.join();
    stop_modules(loop);
    return answer;
  }

 private:
  std::string say(OwnClient& client, const Url& url, const std::string& request) {
    const std::string wrong = client.begin(*probe_.endpoint, *probe_.endpoint->default_server, url.host);
    if (!wrong.empty()) return wrong;
    return client.send(request) ? head_of(client) : "the request cannot be sent";
  }
  void start_modules(Loop& loop) {
    for (int i = 0; i < conf_.loader().modules(); ++i) {
      const Module& module = conf_.loader().module(i);
      loop.module_states.push_back(module.loop_start ? module.loop_start(loop, conf_.settings().get(i)) : nullptr);
    }
  }
  void stop_modules(Loop& loop) {
    for (int i = 0; i < conf_.loader().modules(); ++i)
      if (const Module& module = conf_.loader().module(i); module.loop_stop) module.loop_stop(loop.module_states[static_cast<std::size_t>(i)]);
  }

  const Configuration& conf_;
  Probe probe_;
  Trace trace_;
};

}  // namespace

bool explain(const Options& options, const Question& question) {
  try {
    const auto conf = Configuration::load(options, [](const std::string& text) { std::cerr << "nginx: [warn] " << text << "\n"; });
    const Url url(question.url);
    const Endpoint& endpoint = endpoint_of(conf->http(), url);
    Inquiry inquiry(*conf, endpoint);
    const auto from = Address::parse(question.from.empty() ? "127.0.0.1" : question.from);
    if (!from) throw std::runtime_error("\"" + question.from + "\" is no address");
    inquiry.come_from(*from);
    const std::string answer = inquiry.ask(url, request_of(question, url));
    std::cout << question.method << " " << question.url << "\n" << explanation_of(endpoint, inquiry.trace(), answer);
    return true;
  } catch (const std::exception& error) {
    std::cerr << "seawall: " << error.what() << "\n";
    return false;
  }
}

}  // namespace seawall
