#include "system/file_facts.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace belfry::system {

namespace {

int mode_of(Access what) {
  switch (what) {
    case Access::there: return F_OK;
    case Access::read: return R_OK;
    case Access::write: return W_OK;
    case Access::execute:
    case Access::enter: return X_OK;
    case Access::make_in: return W_OK | X_OK;
  }
  return F_OK;
}

FileFacts facts_in(const struct stat& status) {
  return {.is_directory = S_ISDIR(status.st_mode), .owner = status.st_uid, .mode = status.st_mode};
}

}  // namespace

int access_error(const std::string& path, Access what) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode_of(what), AT_EACCESS) == 0 ? 0 : errno;
}

bool is_regular_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool FileFacts::is_socket() const { return S_ISSOCK(mode); }

bool FileFacts::is_directory_of_this_user_alone() const {
  return is_directory && owner == ::geteuid() && (mode & 0077U) == 0;
}

bool FileFacts::lets_everybody_replace() const { return (mode & S_IWOTH) != 0 && (mode & S_ISVTX) == 0; }

OrErrno<FileFacts> facts_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::unexpected(errno);
  return facts_in(status);
}

OrErrno<FileFacts> facts_of_itself(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::unexpected(errno);
  return facts_in(status);
}

int make_own_directory(const std::string& path) {
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

int let_pass_through(const std::string& directory) {
  return ::chmod(directory.c_str(), 0711) == 0 ? 0 : errno;
}

bool is_same_file(int one, int other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool is_same_file(int one, const std::string& path) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::stat(path.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

bool is_same_open_file(int one, int other) {
  const long self = ::getpid();
  return ::syscall(SYS_kcmp, self, self, KCMP_FILE, one, other) == 0;
}

ino_t inode_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace belfry::system
