#include "system/open_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace belfry::system {

namespace {

OrErrno<OwnedFd> open_blocking(const std::string& path, int flags) {
  OwnedFd file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
  if (!file) return std::unexpected(errno);
  ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);  // of this open file alone
  return file;
}

// Another user's, or one that others may write to or have a name for, may say what they want it to.
bool is_of_this_user_alone(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 0022U) == 0 && status.st_nlink == 1;
}

}  // namespace

OrErrno<OwnedFd> open_to_read(const std::string& path) { return open_blocking(path, O_RDONLY); }

OrErrno<OwnedFd> open_to_append(const std::string& path) {
  return open_blocking(path, O_WRONLY | O_CREAT | O_APPEND);
}

std::string beginning_of(const std::string& path, std::size_t most) {
  std::string text(most, '\0');
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : -1;
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

int read_beginning(const std::string& path, std::size_t most, std::string& into) {
  into.clear();
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  std::array<char, std::size_t{64} << 10> buffer;
  while (into.size() < most) {
    const ssize_t got = ::read(file.get(), buffer.data(), std::min(buffer.size(), most - into.size()));
    if (got < 0) return errno;
    if (got == 0) break;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return 0;
}

std::optional<FileStamp> read_regular_file(const std::string& path, off_t largest, std::string& into) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || status.st_size > largest) return std::nullopt;
  into.resize(static_cast<std::size_t>(status.st_size));
  std::size_t have = 0;
  ssize_t got = 0;
  while (have < into.size() && (got = ::read(file.get(), into.data() + have, into.size() - have)) > 0)
    have += static_cast<std::size_t>(got);
  into.resize(have);
  return got < 0 ? std::nullopt : std::optional(FileStamp::of(status));
}

OrErrno<std::string> read_file_of(std::optional<uid_t> owner, const std::string& path, off_t largest) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return std::unexpected(errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected(EINVAL);
  if (owner && status.st_uid != *owner) return std::unexpected(EPERM);
  if (status.st_size > largest) return std::unexpected(EFBIG);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  ssize_t got = 0;
  while (have < text.size() && (got = ::read(file.get(), text.data() + have, text.size() - have)) > 0)
    have += static_cast<std::size_t>(got);
  if (got < 0) return std::unexpected(errno);
  text.resize(have);
  return text;
}

std::string OwnFile::read(const std::string& path) {
  std::string text;
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file || !is_of_this_user_alone(file.get())) return text;
  std::array<char, 4096> buffer;
  for (ssize_t got = 0; (got = ::read(file.get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  return text;
}

OrErrno<OwnFile> OwnFile::create(const std::string& path) {
  remove(path);
  OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return std::unexpected(errno);
  return OwnFile(std::move(file));
}

void OwnFile::remove(const std::string& path) { ::unlink(path.c_str()); }

void OwnFile::append(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(file_.get(), text.data(), text.size());
}

void OwnFile::replace(std::string_view text) {
  if (::ftruncate(file_.get(), 0) == 0) append(text);
}

}  // namespace belfry::system
