#include "system/socket_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace belfry::system {
namespace {

// What the lock file says: "PID\n", later "PID DEVICE INODE\n".
struct OwnerRecord {
  std::uint64_t pid = 0, device = 0, inode = 0;
};

std::string file_beside(const std::string& path) { return path + ".lock"; }

// Only one at a time passes; whoever holds it makes a few system calls and lets go.
class Turnstile {
 public:
  explicit Turnstile(int file) : file_(file), entered_(set(F_WRLCK)) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;
  ~Turnstile() {
    if (entered_) set(F_UNLCK);
  }
  [[nodiscard]] bool entered() const { return entered_; }

 private:
  bool set(short type) const {
    struct flock whole{};
    whole.l_type = type;
    whole.l_whence = SEEK_SET;
    int result = 0;
    do result = ::fcntl(file_, F_OFD_SETLKW, &whole);
    while (result != 0 && errno == EINTR);
    return result == 0;
  }

  int file_;
  bool entered_;
};

bool is_named(int file, const std::string& name) {
  struct stat opened{}, named{};
  return ::fstat(file, &opened) == 0 && ::lstat(name.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

OwnerRecord read_record(int file) {
  char text[80];
  const ssize_t size = ::pread(file, text, sizeof text, 0);
  OwnerRecord record;
  const char* at = text;
  const char* const end = text + (size > 0 ? size : 0);
  for (std::uint64_t* number : {&record.pid, &record.device, &record.inode}) {
    const auto parsed = std::from_chars(at, end, *number);
    if (parsed.ec != std::errc()) break;
    at = parsed.ptr;
    if (at == end || *at != ' ') break;
    ++at;
  }
  return record;
}

void write_record(int file, const std::string& text) {
  // Without it the lock is one all the same; only its owner cannot be named, and keeps its right for life.
  if (::ftruncate(file, 0) == 0 && ::pwrite(file, text.data(), text.size(), 0) < 0) errno = 0;
}

// Its socket was there, and something else or nothing is there now.
bool has_lost(const OwnerRecord& owner, const std::string& path) {
  struct stat status{};
  if (owner.inode == 0) return false;
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT;
  return status.st_dev != owner.device || status.st_ino != owner.inode;
}

Error held_by(const OwnerRecord& owner, const std::string& path) {
  std::string text = "another belfry ";
  text += owner.inode == 0 ? "is just starting there" : "answers there";
  text += " (";
  if (owner.pid != 0) text += "pid " + std::to_string(owner.pid) + "; ";
  text += "see `belfry status --socket " + path +
          "`; to run a second one, give it another name: or control.socket)";
  return Error(Error::Kind::refused, std::move(text));
}

Error cannot_lock(const std::string& name, int error) {
  std::string text = "cannot lock " + name;
  if (error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL)
    text += " (this file system has no locks: put the socket somewhere else, such as /run)";
  if (error == EACCES || error == EPERM || error == ELOOP)
    text += " (it is not a file of this user: if no belfry runs there, remove it)";
  if (error == ENOENT) text += " (make the directory first)";
  return Error::from_errno(error, text);
}

// A file that others own is one that others can lock: it says nothing.
Result<OwnedFd> open_lock_file(const std::string& name) {
  OwnedFd file(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return std::unexpected(cannot_lock(name, errno));
  // One with two names may be a link that the owner of the directory made to another file: it would be
  // overwritten.
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink > 1)
    return std::unexpected(cannot_lock(name, EPERM));
  return file;
}

}  // namespace

Result<SocketLock> SocketLock::take(const std::string& path) {
  const std::string name = file_beside(path);
  for (pid_t predecessor = 0;;) {
    auto file = open_lock_file(name);
    if (!file) return std::unexpected(file.error());
    const int fd = file->get();
    const Turnstile turnstile(fd);
    if (!turnstile.entered()) return std::unexpected(cannot_lock(name, errno));
    if (!is_named(fd, name)) continue;  // its owner has just gone, and taken the file along
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
      write_record(fd, std::to_string(::getpid()) + "\n");
      SocketLock taken(std::move(*file), path);
      taken.predecessor_ = predecessor;
      return taken;
    }
    if (errno != EWOULDBLOCK) return std::unexpected(cannot_lock(name, errno));
    const OwnerRecord owner = read_record(fd);
    if (!has_lost(owner, path)) return std::unexpected(held_by(owner, path));
    // The owner keeps its lock on a file without a name. Who makes the next one, this process or another that
    // comes in between, is decided by the lock on that.
    predecessor = static_cast<pid_t>(owner.pid);
    ::unlink(name.c_str());
  }
}

void SocketLock::bound() {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  const Turnstile turnstile(file_.get());
  write_record(file_.get(), std::to_string(::getpid()) + " " + std::to_string(device_) + " " +
                                std::to_string(inode_) + "\n");
}

// While its socket is bound nobody else's file can have the same inode: the kernel holds on to it.
SocketLock::~SocketLock() {
  if (!file_) return;
  const Turnstile turnstile(file_.get());
  struct stat status{};
  const bool there = inode_ != 0 && ::lstat(path_.c_str(), &status) == 0;
  if (there && status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
  const std::string name = file_beside(path_);
  if (is_named(file_.get(), name)) ::unlink(name.c_str());
}

}  // namespace belfry::system
