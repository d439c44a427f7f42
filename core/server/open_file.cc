#include "seawall/server/open_file.h"

#include <fcntl.h>

#include <cerrno>

#include "seawall/net/loop.h"
#include "seawall/server/core_module.h"
#include "seawall/server/exchange.h"
#include "seawall/server/file_cache.h"
#include "seawall/server/found.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

bool is_shortage(int error) { return error == EMFILE || error == ENFILE; }

// A look and an opening for which descriptors are wanting are tried anew once the caches have given back theirs: entries
// found before may have died.
Found look(const std::string& path, Walk walk, FileCaches& caches) {
  Found found(path, walk);
  if (is_shortage(found.error()) && caches.give_back()) return Found(path, walk);
  return found;
}
Fd open(Found& found, int flags, FileCaches& caches) {
  Fd fd = found.open(flags);
  if (!fd && is_shortage(errno) && caches.give_back()) return found.open(flags);
  return fd;
}

// disable_symlinks, for this path.
Walk walk_of(Exchange& x, const FileConf& conf, const std::string& path) {
  const DisableSymlinks& links = *conf.disable_symlinks;
  Walk walk;
  walk.rule = links.rule;
  if (!links.has_from) return walk;
  const std::string from = links.from.eval(x);
  if (from.empty() || !path.starts_with(from)) return walk;
  if (from.size() == path.size()) return Walk();
  if (path[from.size()] == '/') walk.from = from.size();
  else if (from.ends_with('/')) walk.from = from.size() - 1;
  return walk;
}

Ref<File> missing(int error, const char* failed) { return Ref<File>(new File(error, failed)); }

// A failed look for a file that was to be opened is said to be the opening's, as in nginx.
Ref<File> not_found(const Found& found, Walk walk) {
  return missing(found.error(), walk.rule == Symlinks::followed ? "open()" : found.failed());
}

// Only regular files are opened: opening a FIFO or a device may do something.
Ref<File> open_found(Found& found, Walk walk, std::int64_t small, FileCaches& caches) {
  if (found.error()) return not_found(found, walk);
  if (!S_ISREG(found.status().st_mode)) return Ref<File>(new File(FileStamp(found.status())));
  Fd fd = open(found, O_RDONLY, caches);
  if (!fd) return missing(errno, found.failed());
  struct stat opened;
  if (::fstat(fd.get(), &opened) != 0) return missing(errno, "fstat()");
  return Ref<File>(new File(FileStamp(opened), std::move(fd), small));
}

// How much is small enough to be read at once, for this request.
std::int64_t small_for(const Exchange& x) {
  const bool encrypted = x.connection.tls && !x.connection.tls->is_plain() && x.request.version != Version::http2;
  return encrypted ? File::kSmallForTls : File::kSmall;
}

bool is_same(const File& file, const Found& found) {
  return !file.error() && !found.error() && file.is_reliable() && file.stamp() == FileStamp(found.status());
}

// Small enough to be read at once for this request, and was not for another.
bool is_to_be_read(const Exchange& x, const File& file) { return file.is_open() && file.stamp().size <= small_for(x); }

// What a request of this turn has looked at already.
Ref<File> looked_at(Exchange& x, const std::string& path, Walk walk, FileCaches& caches) {
  for (FileCache* cache : {&caches.contents, &caches.opened}) {
    FileCache::Entry* entry = cache->find(path);
    if (!entry || entry->checked != x.loop.now() || !(entry->walk == walk) || is_to_be_read(x, *entry->file)) continue;
    cache->use(*entry, x.loop.now());
    return entry->file;
  }
  return {};
}

// Without open_file_cache: one look for all requests of a turn, and what is kept if it is what is there.
Ref<File> open_looked_at(Exchange& x, const std::string& path, Walk walk) {
  FileCaches& caches = FileCaches::of(x.loop);
  const std::int64_t now = x.loop.now();
  if (Ref<File> file = looked_at(x, path, walk, caches)) return file;
  Found found = look(path, walk, caches);
  for (FileCache* cache : {&caches.contents, &caches.opened}) {
    FileCache::Entry* entry = cache->find(path);
    if (!entry) continue;
    if (is_same(*entry->file, found) && !is_to_be_read(x, *entry->file)) {
      cache->use(*entry, now);
      entry->checked = now;
      entry->walk = walk;
      return entry->file;
    }
    cache->forget(*entry);
  }
  Ref<File> file = open_found(found, walk, small_for(x), caches);
  if (file->is_open()) caches.keep_open(path, file);
  else if (file->memory() > 0 && file->is_reliable()) caches.contents.hold(caches.contents.add(path, now), file);
  return file;
}

// With open_file_cache: one look every open_file_cache_valid.
Ref<File> open_cached(Exchange& x, const FileConf& conf, const std::string& path, Walk walk) {
  FileCaches& caches = FileCaches::of(x.loop);
  FileCache& cache = caches.of(*conf.open_file_cache);
  const std::int64_t now = x.loop.now();
  FileCache::Entry* entry = cache.find(path);
  if (entry) cache.use(*entry, now);
  const auto held = [&] { return entry && entry->file && entry->walk == walk; };
  const auto valid = std::chrono::nanoseconds(*conf.open_file_cache_valid).count();
  if (held() && now - entry->checked < valid) return entry->file;
  Found found = look(path, walk, caches);
  entry = cache.find(path);
  if (held() && is_same(*entry->file, found)) {
    entry->checked = now;
    return entry->file;
  }
  const Ref<File> file = open_found(found, walk, small_for(x), caches);
  entry = cache.find(path);
  if (is_shortage(file->error()) || (file->error() && !*conf.open_file_cache_errors)) {
    if (entry) cache.forget(*entry);
    return file;
  }
  if (!entry) entry = &cache.add(path, now);
  entry->walk = walk;
  entry->checked = now;
  const bool hold = !file->is_regular() || entry->uses >= *conf.open_file_cache_min_uses;
  caches.hold(cache, *entry, hold ? file : Ref<File>());
  return file;
}

}  // namespace

Ref<File> open_file(Exchange& x, const std::string& path) {
  const FileConf& conf = x.conf<FilesModule>();
  const Walk walk = walk_of(x, conf, path);
  return conf.open_file_cache->is_on() ? open_cached(x, conf, path, walk) : open_looked_at(x, path, walk);
}

// With a cache it is opened, as in nginx: who tests a file mostly sends it next.
Ref<File> test_file(Exchange& x, const std::string& path) {
  const FileConf& conf = x.conf<FilesModule>();
  const Walk walk = walk_of(x, conf, path);
  if (conf.open_file_cache->is_on()) return open_cached(x, conf, path, walk);
  const Found found = look(path, walk, FileCaches::of(x.loop));
  if (found.error()) return missing(found.error(), found.failed());
  return Ref<File>(new File(FileStamp(found.status())));
}

Result<Fd> open_folder(Exchange& x, const std::string& path) {
  FileCaches& caches = FileCaches::of(x.loop);
  Found found = look(path, walk_of(x, x.conf<FilesModule>(), path), caches);
  if (found.error()) return system_error_code(found.error());
  Fd fd = open(found, O_RDONLY | O_DIRECTORY, caches);
  if (!fd) return system_error_code(errno);
  return fd;
}

bool follows_symlinks(const Exchange& x) { return x.conf<FilesModule>().disable_symlinks->rule == Symlinks::followed; }

}  // namespace seawall
