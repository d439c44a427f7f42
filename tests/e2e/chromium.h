// A page in Debian's headless Chromium, driven over its debugging port (Chrome DevTools Protocol).
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "e2e/raw_client.h"

namespace test {

class Chromium {
 public:
  // A browser with one empty page; null, with a warning that the test is skipped, where there is none.
  static std::unique_ptr<Chromium> start();
  ~Chromium();
  Chromium(const Chromium&) = delete;

  void open(const std::string& url);
  // The value of an expression, as text; throws what the page throws.
  std::string evaluate(const std::string& expression);
  // Until the expression is true; bounded by kPatience.
  bool becomes_true(const std::string& expression);
  std::string screenshot();  // PNG
  void resize(int width, int height, bool dark);
  // What the page has written to the console, and what the browser complained of.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  explicit Chromium(const std::string& program);
  void attach();
  std::string call(const std::string& method, const std::string& parameters);  // the answer, JSON
  void send_text(const std::string& text);
  std::string read_text();

  std::string folder_;
  pid_t pid_ = -1;
  std::unique_ptr<RawClient> socket_;
  int calls_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace test
