#include "e2e/chromium.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/folder.h"

namespace test {
namespace {

using nlohmann::json;

std::string program() {
  for (const char* name : {"chromium-headless-shell", "chromium"})
    if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0) return name;
  return {};
}

// What stands behind `name` in the log, up to the line's end; "" while it is not there.
std::string behind(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  const auto end = at == text.npos ? at : text.find('\n', at);
  return end == text.npos ? std::string() : text.substr(at + name.size(), end - at - name.size());
}

}  // namespace

std::unique_ptr<Chromium> Chromium::start() {
  const std::string name = program();
  if (name.empty()) {
    WARN("no Chromium: skipped");
    return nullptr;
  }
  return std::unique_ptr<Chromium>(new Chromium(name));
}

Chromium::Chromium(const std::string& program) : folder_(make_folder()) {
  const std::string log = folder_ + "/log", profile = "--user-data-dir=" + folder_ + "/profile";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::setenv("HOME", folder_.c_str(), 1);
    ::execlp(program.c_str(), program.c_str(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--ignore-certificate-errors", "--remote-debugging-port=0", profile.c_str(), "about:blank", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  const auto listens = [&] { return !behind(read_file(log), "DevTools listening on ws://").empty(); };
  REQUIRE(wait_for_change(folder_, listens, Clock::now() + 3 * kPatience));
  attach();
}

Chromium::~Chromium() {
  ::kill(-pid_, SIGKILL);  // with its helpers
  ::waitpid(pid_, nullptr, 0);
}

// Its one page has a WebSocket of its own.
void Chromium::attach() {
  const std::string at = behind(read_file(folder_ + "/log"), "DevTools listening on ws://");
  const std::string host = at.substr(0, at.find('/'));
  const json pages = json::parse(get("http://" + host + "/json/list").body);
  std::string url;
  for (const json& page : pages)
    if (page["type"] == "page") url = page["webSocketDebuggerUrl"];
  REQUIRE(url.starts_with("ws://" + host + "/"));
  socket_ = std::make_unique<RawClient>(std::stoi(host.substr(host.find(':') + 1)));
  socket_->send("GET " + url.substr(5 + host.size()) + " HTTP/1.1\r\nHost: " + host +
                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  REQUIRE(socket_->read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  for (const char* domain : {"Runtime.enable", "Log.enable", "Page.enable"}) call(domain, "{}");
}

// One frame of a client, with a mask that changes nothing (RFC 6455 5.2).
void Chromium::send_text(const std::string& text) {
  std::string frame = "\x81";
  if (text.size() < 126) {
    frame += static_cast<char>(0x80 | text.size());
  } else {
    frame += '\xfe';
    frame += static_cast<char>(text.size() >> 8);
    frame += static_cast<char>(text.size());
  }
  REQUIRE(text.size() < 65536);
  socket_->send(frame.append(4, '\0') + text);
}

// One message, of one frame or several.
std::string Chromium::read_text() {
  std::string message;
  for (;;) {
    const std::string head = socket_->read(2, 3 * kPatience);
    std::size_t size = head[1] & 0x7f;
    if (size >= 126) {
      const std::string longer = socket_->read(size == 126 ? 2 : 8);
      size = 0;
      for (const char byte : longer) size = size << 8 | static_cast<unsigned char>(byte);
    }
    message += socket_->read(size);
    if (head[0] & 0x80) return message;
  }
}

std::string Chromium::call(const std::string& method, const std::string& parameters) {
  const int id = ++calls_;
  send_text("{\"id\":" + std::to_string(id) + ",\"method\":\"" + method + "\",\"params\":" + parameters + "}");
  for (;;) {
    const std::string text = read_text();
    const json message = json::parse(text);
    if (message.value("id", 0) == id) return text;
    const std::string event = message.value("method", "");
    if (event == "Runtime.consoleAPICalled" || event == "Runtime.exceptionThrown" || event == "Log.entryAdded") complaints_.push_back(text);
  }
}

void Chromium::open(const std::string& url) {
  const json answer = json::parse(call("Page.navigate", json::object({{"url", url}}).dump()));
  INFO(answer.dump());
  REQUIRE(answer.value("/result/errorText"_json_pointer, std::string()).empty());
  REQUIRE(becomes_true("document.readyState == 'complete' && location.href != 'about:blank'"));
}

std::string Chromium::evaluate(const std::string& expression) {
  const json answer = json::parse(call("Runtime.evaluate", json::object({{"expression", expression}, {"returnByValue", true}}).dump()));
  if (answer["result"].contains("exceptionDetails")) throw std::runtime_error(answer["result"]["exceptionDetails"].dump());
  const json value = answer.value("/result/result/value"_json_pointer, json());  // none of undefined
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool Chromium::becomes_true(const std::string& expression) {
  const auto deadline = Clock::now() + 3 * kPatience;
  while (Clock::now() < deadline) {
    // The page's own clock says when to look again.
    const std::string promise = "new Promise(done => setTimeout(() => done(Boolean(" + expression + ")), 50))";
    const json answer = json::parse(call("Runtime.evaluate", json::object({{"expression", promise}, {"awaitPromise", true}, {"returnByValue", true}}).dump()));
    if (answer.value("/result/result/value"_json_pointer, json(false)) == true) return true;
  }
  return false;
}

void Chromium::resize(int width, int height, bool dark) {
  call("Emulation.setDeviceMetricsOverride", json::object({{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}}).dump());
  const json scheme = json::object({{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}});
  call("Emulation.setEmulatedMedia", json::object({{"features", json::array({scheme})}}).dump());
}

std::string Chromium::screenshot() {
  const json answer = json::parse(call("Page.captureScreenshot", json::object({{"format", "png"}}).dump()));
  const std::string text = answer["result"]["data"];
  std::string png(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(png.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  REQUIRE(size > 0);  // with what the padding stands for: behind the picture's end, nobody looks
  return png;
}

}  // namespace test
