#include "system/socket_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "system/own_directory.hpp"
#include "system/private_files.hpp"

namespace belfry::system {

namespace {

constexpr std::string_view prefix = "belfry.";
constexpr std::size_t random_letters = 6;  // of mkdtemp(3)
constexpr const char* lock_name = "alive";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_in_memory(const std::string& place) {
  struct statfs info{};
  return !place.empty() && ::statfs(place.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

std::vector<std::string> entries_of(int directory) {
  std::vector<std::string> names;
  OwnedFd copy(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
  DIR* open = copy ? ::fdopendir(copy.get()) : nullptr;
  if (open == nullptr) return names;
  (void)copy.release();  // closedir() closes it
  ::rewinddir(open);
  while (const dirent* entry = ::readdir(open)) names.emplace_back(entry->d_name);
  ::closedir(open);
  return names;
}

// Only a directory of this very user, and never by way of a symbolic link.
OwnedFd open_own_directory(int place, const std::string& name) {
  OwnedFd fd(::openat(place, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (fd && (::fstat(fd.get(), &info) != 0 || info.st_uid != ::geteuid())) fd.close();
  return fd;
}

// Nothing but sockets, credentials and the lock are ever taken away; anything else keeps the directory.
void remove_what_is_ours(int directory) {
  for (const std::string& name : entries_of(directory)) {
    struct stat info{};
    if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISSOCK(info.st_mode)) ::unlinkat(directory, name.c_str(), 0);
  }
  remove_tree_at(directory, credentials_name);
  ::unlinkat(directory, lock_name, 0);
}

// A directory without a lock file is being made just now by its daemon, or is not belfry's.
void remove_if_dead(int place, const std::string& name) {
  const OwnedFd directory = open_own_directory(place, name);
  if (!directory) return;
  const OwnedFd lock(::openat(directory.get(), lock_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
  remove_what_is_ours(directory.get());
  ::unlinkat(place, name.c_str(), AT_REMOVEDIR);
}

void remove_dead_ones(const std::string& place) {
  const OwnedFd fd(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return;
  for (const std::string& name : entries_of(fd.get())) {
    if (name.starts_with(prefix) && name.size() == prefix.size() + random_letters)
      remove_if_dead(fd.get(), name);
  }
}

}  // namespace

std::string unguessable_name() {
  std::array<unsigned char, 12> random{};
  // Cannot fail for so few bytes once the machine has booted (getrandom(2)).
  static_cast<void>(::getrandom(random.data(), random.size(), 0));
  std::string name;
  for (const unsigned char byte : random) {
    constexpr std::string_view digits = "0123456789abcdef";
    name += digits[byte >> 4U];
    name += digits[byte & 15U];
  }
  return name;
}

SocketDirectory::~SocketDirectory() {
  if (path_.empty()) return;
  remove_own_directory(path_, credentials_name);
  ::unlink((path_ + "/" + lock_name).c_str());
  ::rmdir(path_.c_str());
}

Result<void> SocketDirectory::make_below(const std::string& place) {
  const auto failed = [&place] {
    return std::unexpected(
        Error::from_errno(errno, "cannot make a directory for notify sockets in " + place));
  };
  remove_dead_ones(place);
  std::string path = (place == "/" ? "" : place) + "/" + std::string(prefix) + "XXXXXX";
  if (place.empty() || ::mkdtemp(path.data()) == nullptr) return failed();
  const std::string lock = path + "/" + lock_name;
  lock_ = OwnedFd(::open(lock.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  // Between our open and our lock somebody who cleans up may hold it, or have removed it: then this one is
  // lost to us.
  struct stat info{};
  if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(lock_.get(), &info) != 0 ||
      info.st_nlink == 0 || ::chmod(path.c_str(), 0711) != 0) {
    auto error = failed();
    lock_.close();
    ::unlink(lock.c_str());
    ::rmdir(path.c_str());
    return error;
  }
  path_ = std::move(path);
  return {};
}

// Memory first: in many containers /run is a disk, and to bind a socket there was seen to cost 650 µs instead
// of 10.
Result<void> SocketDirectory::make() {
  const std::array<std::string, 6> places = {::geteuid() != 0 ? variable("XDG_RUNTIME_DIR") : "",
                                             "/run",
                                             "/dev/shm",
                                             variable("TMPDIR"),
                                             "/tmp",
                                             "/"};
  for (const bool memory_only : {true, false}) {
    for (const std::string& place : places) {
      if (place.empty() || (memory_only && !is_in_memory(place))) continue;
      if (make_below(place)) return {};
    }
  }
  return std::unexpected(Error::from_errno(errno,
                                           "cannot make a directory for notify sockets in $XDG_RUNTIME_DIR, "
                                           "/run, /dev/shm, $TMPDIR, /tmp or / (mount a tmpfs on /run)"));
}

}  // namespace belfry::system
