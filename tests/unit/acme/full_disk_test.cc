// A store that takes nothing any more, at each step of an attempt: no account is lost, no CA is asked without a note of it, and once
// there is room again the certificate comes.
#include "attempt.h"
#include "catch.h"
#include "scripted_ca.h"

using namespace seawall::acme;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// The files, but for the writes after the first so many.
class FullStore final : public Store {
 public:
  FullStore(std::shared_ptr<Store> files, int room) : files_(std::move(files)), room_(room) {}
  std::optional<std::string> read(const std::string& name) const override { return files_->read(name); }
  void write(const std::string& name, const std::string& text) override {
    if (room_-- <= 0) throw AcmeError("write() \"" + name + "\" failed (28: No space left on device)");
    files_->write(name, text);
  }
  void remove(const std::string& name) override { files_->remove(name); }
  std::vector<std::string> names() const override { return files_->names(); }
  std::string version() const override { return files_->version(); }
  std::string version(const std::string& name) const override { return files_->version(name); }
  std::shared_ptr<void> try_lock() override { return files_->try_lock(); }

 private:
  const std::shared_ptr<Store> files_;
  int room_;
};

}  // namespace

TEST_CASE("a disk that is full at any step costs a try, and nothing else") {
  bool came = false;
  for (int room = 0; !came; ++room) {
    INFO("room for " << room);
    REQUIRE(room < 20);
    const auto clock = std::make_shared<TestClock>();
    ScriptedCa ca(clock);
    Site site(ca, clock);
    const auto files = site.issuer.store;
    site.issuer.store = std::make_shared<FullStore>(files, room);
    const Attempted full = attempt(site.certificate, site.tokens, site.stop);
    came = full.pair.has_value();
    if (!came) {
      CHECK_THAT(full.status.error, ContainsSubstring("No space left on device"));
      CHECK(full.status.next_try > clock->now());
    }
    if (room == 0) CHECK(ca.count("/") == 0);
    const auto key = files->read("account.key"), account = files->read("account.json");
    site.issuer.store = files;
    REQUIRE(attempt(site.certificate, site.tokens, site.stop).pair);
    if (key) CHECK(files->read("account.key") == key);
    if (account) CHECK(files->read("account.json") == account);
    CHECK(site.facts()->not_after == clock->now() + 90 * kDay);
    CHECK(ca.count("/finalize/") <= 2);
  }
}
