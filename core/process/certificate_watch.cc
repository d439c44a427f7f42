#include "seawall/process/certificate_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "seawall/base/error.h"
#include "seawall/log/log.h"
#include "seawall/server/event_counts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

using std::chrono::steady_clock;

// A certificate and its key are two files: who writes one is about to write the other.
constexpr auto kSettle = std::chrono::milliseconds(200);
// File systems that tell nothing (network ones) are looked at all the same.
constexpr auto kSlowLook = std::chrono::seconds(60);
constexpr int kLinks = 40;  // on the way to a file, as for the kernel
constexpr std::uint32_t kFolderEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB;

// Of a folder's path, which ends with a slash as its parent's does.
std::string parent_of(const std::string& folder) {
  return folder.size() < 2 ? folder : folder.substr(0, folder.rfind('/', folder.size() - 2) + 1);
}

std::string files_of(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "\"" : ", \"") + file + "\"";
  return text;
}

}  // namespace

CertificateWatch::CertificateWatch(const HttpConf& http) {
  const auto contexts = http.tls_contexts();
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    Watched one;
    one.context = contexts[i];
    one.number = i;
    one.files = contexts[i]->settings().files();
    one.stamps = contexts[i]->stamps();
    if (!one.files.empty()) watched_.push_back(std::move(one));
  }
  if (watched_.empty()) return;
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ::fcntl(inotify_.get(), F_SETOWN, ::getpid());
  ::fcntl(inotify_.get(), F_SETFL, O_ASYNC | O_NONBLOCK);
  listen();
  due_ = steady_clock::now();  // for what has changed before there was anybody to listen
}

// The folder of the file, and of each symbolic link on the way to it: whichever is exchanged is heard.
void CertificateWatch::listen_around(const std::string& path) {
  std::string folder = "/", left = path;
  for (int links = 0; !left.empty();) {
    const auto slash = left.find('/');
    const std::string name = left.substr(0, slash);
    left = slash == std::string::npos ? std::string() : left.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      folder = parent_of(folder);
      continue;
    }
    char target[PATH_MAX];
    const ssize_t size = ::readlink((folder + name).c_str(), target, sizeof target);
    const bool is_link = size > 0 && ++links <= kLinks;
    if (is_link || left.empty()) ::inotify_add_watch(inotify_.get(), folder.c_str(), kFolderEvents);
    if (!is_link) {
      folder += name + "/";
      continue;
    }
    const std::string to(target, static_cast<std::size_t>(size));
    if (to.starts_with('/')) folder = "/";
    left = left.empty() ? to : to + "/" + left;
  }
}

void CertificateWatch::listen() {
  for (const Watched& one : watched_)
    for (const std::string& file : one.files) listen_around(file);
}

void CertificateWatch::heard() {
  char events[4096];
  bool any = false;
  while (::read(inotify_.get(), events, sizeof events) > 0) any = true;
  if (any) due_ = std::min(*due_, steady_clock::now() + kSettle);
}

std::vector<Renewal> CertificateWatch::look() {
  std::vector<Renewal> renewals;
  for (Watched& one : watched_) {
    FileStamps stamps = stamps_of(one.files);
    if (stamps == one.stamps) continue;
    one.stamps = std::move(stamps);
    try {
      GivenFiles files = GivenFiles::read(one.files);
      one.context->renew(files);
      renewals.emplace_back(one.number, std::move(files));
      renewal_counts().at("used")->add();
      log(Level::notice, "certificate files have changed and hold from now on: " + files_of(one.files));
      for (const std::string& warning : one.context->warnings()) log(Level::warn, warning);
    } catch (const std::exception& error) {
      renewal_counts().at("refused")->add();
      log(Level::error, std::string("certificate files have changed and are refused, the present ones stay: ") + error.what());
    }
  }
  if (!renewals.empty()) listen();
  due_ = steady_clock::now() + kSlowLook;
  return renewals;
}

bool send_renewals(int channel, const std::vector<Renewal>& renewals) {
  const std::string bytes = encode(renewals);
  const Fd memory(::memfd_create("certificates", MFD_CLOEXEC));
  if (!memory) return false;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(memory.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  char byte = 0;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = memory.get();
  return ::sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

std::vector<Renewal> receive_renewals(int channel) {
  char byte;
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return {};
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (!header || (message.msg_flags & MSG_CTRUNC) || header->cmsg_type != SCM_RIGHTS) throw TlsError("a renewal came without its files");
  const Fd memory(*reinterpret_cast<const int*>(CMSG_DATA(header)));
  std::string bytes;
  char part[16 * 1024];
  for (ssize_t n; (n = ::pread(memory.get(), part, sizeof part, static_cast<off_t>(bytes.size()))) > 0;)
    bytes.append(part, static_cast<std::size_t>(n));
  return decode_renewals(bytes);
}

}  // namespace seawall
