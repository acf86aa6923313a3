#include "system/own_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <vector>

#include "system/owned_fd.hpp"
#include "system/process_identity.hpp"

namespace belfry::system {

namespace {

constexpr int deepest = 64;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string joined(std::string_view base, std::string_view name) {
  return std::string(base).append("/").append(name);
}

std::unexpected<Error> refused(const std::string& path, std::string_view why) {
  return std::unexpected(Error::failed("cannot use " + path + ": " + std::string(why)));
}

std::unexpected<Error> refused_by_kernel(const std::string& path, int errnum) {
  if (errnum == ELOOP || errnum == ENOTDIR)
    return refused(path, "it is a symbolic link or a file, not a directory (remove it)");
  return std::unexpected(Error::from_errno(errnum, "cannot make " + path));
}

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  OwnedFd copy(::fcntl(directory, F_DUPFD_CLOEXEC, 3));
  DIR* open = copy ? ::fdopendir(copy.get()) : nullptr;
  if (open == nullptr) return names;
  (void)copy.release();  // closedir() closes it
  ::rewinddir(open);
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(open);
  return names;
}

// By the way, the places that are not there yet: /var/lib in a small image, ~/.local/state of a new user.
OwnedFd open_base(const std::string& base) {
  OwnedFd fd(::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (auto at = base.find('/', 1); !fd; at = base.find('/', at + 1)) {
    if (::mkdir(base.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) return fd;
    if (at == std::string::npos) break;
  }
  return fd ? std::move(fd) : OwnedFd(::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

struct Opened {
  OwnedFd fd;
  bool fresh = false;
};

Opened make_and_open(int above, const std::string& name, mode_t mode) {
  const bool fresh = ::mkdirat(above, name.c_str(), mode) == 0;
  if (!fresh && errno != EEXIST) return {};
  return {OwnedFd(::openat(above, name.c_str(), directory_flags)), fresh};
}

Result<void> give(int fd, bool fresh, const OwnDirectoryRequest& request, const std::string& path) {
  struct stat now{};
  if (::fstat(fd, &now) != 0) return std::unexpected(Error::from_errno(errno, "cannot look at " + path));
  if (!fresh && now.st_uid != request.uid) {
    if (now.st_uid != ::geteuid() || !names_in(fd).empty())
      return refused(path, "it is there already and belongs to user " + std::to_string(now.st_uid) +
                               " (chown it, or choose another name)");
  }
  if ((now.st_uid != request.uid || now.st_gid != request.gid) && ::fchown(fd, request.uid, request.gid) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot give " + path + " to its user"));
  if ((now.st_mode & 07777U) != request.mode && ::fchmod(fd, request.mode) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot set the mode of " + path));
  return {};
}

// Takes what it removes from `budget`. False: there is more than that.
bool remove_contents(int directory, dev_t device, int depth, std::size_t& budget) {
  for (const std::string& name : names_in(directory)) {
    if (budget == 0) return false;
    --budget;
    if (::unlinkat(directory, name.c_str(), 0) == 0 || (errno != EISDIR && errno != EPERM)) continue;
    if (depth == 0) continue;
    const OwnedFd below(::openat(directory, name.c_str(), directory_flags));
    struct stat info{};
    if (!below || ::fstat(below.get(), &info) != 0 || info.st_dev != device) continue;
    if (!remove_contents(below.get(), device, depth - 1, budget)) return false;
    ::unlinkat(directory, name.c_str(), AT_REMOVEDIR);
  }
  return true;
}

bool remove_at(int above, const std::string& name, std::size_t budget) {
  const OwnedFd directory(::openat(above, name.c_str(), directory_flags));
  struct stat info{};
  if (!directory || ::fstat(directory.get(), &info) != 0) return true;
  if (!remove_contents(directory.get(), info.st_dev, deepest, budget)) return false;
  ::unlinkat(above, name.c_str(), AT_REMOVEDIR);
  return true;
}

// The directory that holds the last part of `name`, which is all that is left of it then.
OwnedFd open_above(std::string_view base, std::string_view& name) {
  OwnedFd above(::open(std::string(base).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (auto slash = name.find('/'); above && slash != std::string_view::npos; slash = name.find('/')) {
    above = OwnedFd(::openat(above.get(), std::string(name.substr(0, slash)).c_str(), directory_flags));
    name.remove_prefix(slash + 1);
  }
  return above;
}

// tmpfs has those of `user` since Linux 6.6; those of `trusted` take CAP_SYS_ADMIN.
constexpr const char* marks[] = {"trusted.belfry", "user.belfry"};

void mark_as_own(int directory) {
  const auto self = identity_of(own_pid());
  if (!self) return;
  const std::string text = std::to_string(self->pid) + " " + std::to_string(self->born);
  for (const char* mark : marks) {
    if (::fsetxattr(directory, mark, text.data(), text.size(), 0) == 0) return;
  }
}

std::optional<ProcessIdentity> maker_of(int directory) {
  for (const char* mark : marks) {
    char text[64] = {};
    if (::fgetxattr(directory, mark, text, sizeof text - 1) <= 0) continue;
    ProcessIdentity maker;
    if (std::sscanf(text, "%d %" SCNu64, &maker.pid, &maker.born) == 2) return maker;
  }
  return std::nullopt;
}

// Whether a belfry made it that has ended, or this one.
bool take_over(int directory) {
  const auto maker = maker_of(directory);
  if (!maker) return false;
  if (*maker == identity_of(own_pid())) return true;
  if (is_still(*maker)) return false;
  struct stat info{};
  std::size_t all = SIZE_MAX;
  if (::fstat(directory, &info) == 0) remove_contents(directory, info.st_dev, deepest, all);
  return true;
}

}  // namespace

Result<MadeDirectory> make_own_directory(const OwnDirectoryRequest& request) {
  const std::string path = joined(request.base, request.name);
  Opened at{open_base(std::string(request.base)), false};
  std::string_view rest = request.name;
  for (;;) {
    if (!at.fd) return refused_by_kernel(path, errno);
    const auto slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    at = make_and_open(at.fd.get(), std::string(rest.substr(0, slash)), last ? 0700 : 0755);
    if (last) break;
    rest.remove_prefix(slash + 1);
  }
  if (!at.fd) return refused_by_kernel(path, errno);
  if (auto ok = give(at.fd.get(), at.fresh, request, path); !ok) {
    if (at.fresh) remove_own_directory(request.base, request.name);
    return std::unexpected(ok.error());
  }
  bool ours = at.fresh || (request.uid != 0 && request.uid != ::geteuid());
  if (request.temporary) {
    ours = take_over(at.fd.get()) || ours;
    if (ours) mark_as_own(at.fd.get());
  }
  return MadeDirectory{path, ours};
}

void remove_own_directory(std::string_view base, std::string_view name) {
  (void)remove_some_of_own_directory(base, name, SIZE_MAX);
}

bool remove_some_of_own_directory(std::string_view base, std::string_view name, std::size_t entries) {
  const OwnedFd above = open_above(base, name);
  return !above || remove_at(above.get(), std::string(name), entries);
}

std::string move_own_directory_aside(std::string_view base, std::string_view name) {
  static std::uint64_t moved = 0;
  const std::string_view whole = name;
  const OwnedFd above = open_above(base, name);
  if (!above) return {};
  const std::string hidden =
      "." + std::string(name) + ".removed-" + std::to_string(own_pid()) + "-" + std::to_string(++moved);
  if (::renameat(above.get(), std::string(name).c_str(), above.get(), hidden.c_str()) != 0) return {};
  return std::string(whole.substr(0, whole.size() - name.size())) + hidden;
}

void remove_tree_at(int above, const std::string& name) { (void)remove_at(above, name, SIZE_MAX); }

}  // namespace belfry::system
