#include "seawall/upstream/stored_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "seawall/base/error.h"
#include "seawall/server/exchange.h"
#include "seawall/server/path.h"
#include "seawall/server/temporary_file.h"

namespace seawall {
namespace {

// Who may read a file may go through its folders.
unsigned folder_access(unsigned access) { return access | (access & 0444) >> 2; }

// Errors: errno; 0: they are there.
int make_folders(const std::string& path, unsigned access) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (::mkdir(folder.c_str(), folder_access(access)) != 0 && errno != EEXIST) return errno;
  }
  return 0;
}

std::string words(const char* call, const std::string& path, int error) {
  return std::string(call) + " \"" + path + "\" failed " + describe(system_error_code(error));
}

}  // namespace

StoreTo parse_store(const Invocation& in) {
  StoreTo to;
  to.on = in.arg(0) != "off";
  if (in.arg(0).empty()) throw ConfigError("empty path");
  if (to.on && in.arg(0) != "on") to.path = in.compile(in.arg(0));
  return to;
}

unsigned parse_access(const Invocation& in) {
  unsigned mode = 0, user = 0600;
  for (const std::string& word : in.args()) {
    const auto colon = word.find(':');
    const std::string who = word.substr(0, colon), rights = colon == std::string::npos ? "" : word.substr(colon + 1);
    const unsigned shares = who == "user" ? 0100 : who == "group" ? 0010 : who == "all" ? 0001 : 0;
    const unsigned may = rights == "r" ? 4 : rights == "w" ? 2 : rights == "rw" ? 6 : 0;
    if (shares == 0 || may == 0) throw ConfigError("invalid value \"" + word + "\"");
    mode |= shares * may;
    if (who == "user") user = 0;
  }
  return mode | user;
}

std::unique_ptr<StoredFile> StoredFile::begin(Exchange& x, const StoreTo& to, unsigned access) {
  std::string path;
  if (to.path.empty()) {
    if (path_of(x, path) != 0) return nullptr;
  } else {
    path = to.path.eval(x);
    if (path.empty()) return nullptr;
    if (!stays_below(path, 0)) {
      refuse_path(x, path);
      return nullptr;
    }
  }
  if (const int error = make_folders(path, access)) {
    x.log(Level::crit, words("mkdir()", path, error));
    return nullptr;
  }
  std::string temporary = path.substr(0, path.rfind('/') + 1) + ".store-XXXXXX";
  Fd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file || ::fchmod(file.get(), access) != 0) {
    x.log(Level::crit, words("mkostemp()", temporary, errno));
    return nullptr;
  }
  return std::unique_ptr<StoredFile>(new StoredFile(x, std::move(path), std::move(temporary), std::move(file)));
}

StoredFile::~StoredFile() {
  if (file_) ::unlink(temporary_.c_str());
}

void StoredFile::fail(const char* call, int error) {
  x_.log(Level::crit, words(call, path_, error));
  ::unlink(temporary_.c_str());
  file_.reset();
}

void StoredFile::append(std::string_view bytes) {
  if (!file_) return;
  if (const Result<void> written = write_at(file_.get(), bytes, size_); !written) return fail("write()", written.error().value());
  size_ += bytes.size();
}

void StoredFile::commit(std::optional<std::int64_t> modified) {
  if (!file_) return;
  if (modified) {
    const timespec times[2] = {{0, UTIME_NOW}, {*modified, 0}};
    if (::futimens(file_.get(), times) != 0) x_.log(Level::alert, words("futimens()", path_, errno));
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail("rename()", errno);
  file_.reset();
}

}  // namespace seawall
