#include "system/private_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "system/own_directory.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

namespace {

std::unexpected<Error> failed(const std::string& path) {
  return std::unexpected(Error::from_errno(errno, "cannot make " + path));
}

bool write_whole(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

// The upper one is passed through by services of other users, the lower one by nobody until it is given.
Result<std::string> make_credentials_directory(const std::string& place, const std::string& service) {
  const std::string all = place + "/" + credentials_name;
  if (::mkdir(all.c_str(), 0711) != 0) {
    if (errno != EEXIST) return failed(all);
  } else if (::chmod(all.c_str(), 0711) != 0) {
    return failed(all);
  }
  remove_own_directory(all, service);
  std::string own = all + "/" + service;
  if (::mkdir(own.c_str(), 0700) != 0) return failed(own);
  return own;
}

Result<void> write_private_files(const std::string& directory, const PrivateFiles& files, uid_t uid,
                                 gid_t gid) {
  const OwnedFd place(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!place) return failed(directory);
  for (const auto& [name, contents] : files) {
    const OwnedFd file(
        ::openat(place.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
    if (!file || !write_whole(file.get(), *contents) || ::fchown(file.get(), uid, gid) != 0 ||
        ::fchmod(file.get(), 0400) != 0)
      return failed(std::string(directory).append("/").append(name));
  }
  if (::fchown(place.get(), static_cast<uid_t>(-1), gid) != 0 || ::fchmod(place.get(), 0750) != 0)
    return failed(directory);
  return {};
}

void remove_credentials_directory(const std::string& place, const std::string& service) {
  remove_own_directory(place + "/" + credentials_name, service);
}

}  // namespace belfry::system
