#include "seawall/cache/cache_keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <utility>

#include "seawall/async/event.h"
#include "seawall/cache/cache_index.h"
#include "seawall/log/log.h"

namespace seawall {
namespace {

constexpr std::int64_t kLeftBehind = 3600;  // s: a temporary file that nobody has written to for so long is nobody's

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;
Folder open_folder_of(const std::string& path) { return Folder(::opendir(path.c_str()), ::closedir); }

// A walk over the folder and the folders of its levels, some files at a time.
class Walk {
 public:
  explicit Walk(const CachePath& path) : path_(path), index_(path) {}

  // On the thread. False: that was the last. Something is done each time, whatever the pace.
  bool step() {
    if (!std::exchange(begun_, true)) enter(path_.folder);
    const auto until = Clock::now() + path_.loader.threshold;
    std::int64_t files = 0;
    while (!open_.empty()) {
      files += next();
      if (files >= path_.loader.files || Clock::now() >= until) break;
    }
    return !open_.empty();
  }

 private:
  class Level {
   public:
    Level(std::string path, Folder folder) : path(std::move(path)), folder(std::move(folder)) {}
    std::string path;
    Folder folder;
  };

  void enter(std::string path) {
    Folder folder = open_folder_of(path);
    if (folder) open_.emplace_back(std::move(path), std::move(folder));
  }

  int next() {
    const dirent* const item = ::readdir(open_.back().folder.get());
    if (!item) {
      open_.pop_back();
      return 0;
    }
    const std::string_view name(item->d_name);
    if (name == "." || name == "..") return 0;
    const std::string path = open_.back().path + "/" + item->d_name;
    struct stat file;
    if (::lstat(path.c_str(), &file) != 0) return 0;
    if (S_ISDIR(file.st_mode)) {
      if (open_.size() <= path_.levels.size()) enter(path);
      return 0;
    }
    if (S_ISREG(file.st_mode)) look_at(path, name, file);
    return 1;
  }

  // Only what has the name of an entry in its place, or that of a temporary file of ours, is ours.
  void look_at(const std::string& path, std::string_view name, const struct stat& file) {
    const std::int64_t now = std::time(nullptr);
    if (const auto hash = CacheHash::parse(name)) {
      if (path_.file_of(*hash) == path) index_.found(*hash, std::max<std::int64_t>(file.st_blocks * 512, 1), now);
      return;
    }
    const bool digits = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (name.size() == 10 && digits && file.st_mtime + kLeftBehind < now) ::unlink(path.c_str());
  }

  const CachePath& path_;
  CacheIndex index_;
  bool begun_ = false;
  std::vector<Level> open_;
};

// Work on the thread; false: the loop ends. What no thread could be had for is done another time.
template <class F>
Task<bool> on_thread(ThreadPool& threads, F work) {
  const auto done = co_await offload(threads, std::move(work), Deadline::never(Wait::drain));
  if (!done && done.error() != Errc::cancelled) log(Level::error, "a cache is not looked after: " + describe(done.error()));
  co_return done || done.error() != Errc::cancelled;
}

Task<bool> rest(std::chrono::milliseconds time) {
  const Errc slept = co_await sleep_until(Deadline::in(std::max(time, Milliseconds(1)), Wait::drain));
  co_return slept != Errc::cancelled;
}

Task<bool> load(const CachePath& path, ThreadPool& threads) {
  CacheIndex index(path);
  if (!index.is_cold()) co_return true;
  const auto walk = std::make_shared<Walk>(path);
  const auto more = std::make_shared<bool>(true);
  while (*more) {
    auto step = [walk, more] { return *more = walk->step(); };
    const bool walked = co_await on_thread(threads, std::move(step));
    if (!walked) co_return false;
    const bool goes_on = co_await rest(path.loader.sleep);
    if (!goes_on) co_return false;
  }
  index.set_loaded();
  co_return true;
}

// What nginx's manager does when: half a second after the start, and then when something may be due.
Task<void> keep(const CachePath& path, ThreadPool& threads) {
  const bool started = co_await rest(Milliseconds(500));
  if (!started) co_return;
  const auto cleaned = std::make_shared<CacheIndex::Cleaned>();
  for (;;) {
    const bool loaded = co_await load(path, threads);  // again where a process has died over the zone, which is empty then
    if (!loaded) co_return;
    auto clean = [&path, cleaned] {
      *cleaned = CacheIndex(path).clean(path.manager.files, std::time(nullptr));
      return true;
    };
    const bool done = co_await on_thread(threads, std::move(clean));
    if (!done) co_return;
    const std::chrono::milliseconds time = cleaned->next > 0 ? std::chrono::seconds(cleaned->next) : path.manager.sleep;
    const bool goes_on = co_await rest(time);
    if (!goes_on) co_return;
  }
}

}  // namespace

CacheKeepers::CacheKeepers(Loop& loop, const std::vector<std::shared_ptr<const CachePath>>& paths) {
  if (loop.number() != 0) return;
  for (const auto& path : paths) loop.scope().spawn(keep(*path, threads_));
}

}  // namespace seawall
