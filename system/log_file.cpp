#include "system/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace belfry::system {

namespace {

constexpr int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr mode_t mode = 0640;

// Whether belfry's user or root has made this link.
bool is_trusted_link(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode) &&
         (status.st_uid == 0 || status.st_uid == ::geteuid());
}

OwnedFd open_log(const std::string& path) {
  OwnedFd file(::open(path.c_str(), how | O_NOFOLLOW, mode));
  if (!file && errno == ELOOP && is_trusted_link(path)) file = OwnedFd(::open(path.c_str(), how, mode));
  return file;
}

}  // namespace

LogFile::LogFile(std::string path, Rotation rotation, Marker marker)
    : path_(std::move(path)), rotation_(rotation), marker_(std::move(marker)) {
  if (rotation_.max_size > 0) archive_ = std::make_unique<LogArchive>(path_, rotation_.rules);
}

LogFile::~LogFile() { const std::unique_ptr<Rotation> unread(next_rotation_.exchange(nullptr)); }

void LogFile::ask_to_rotate_by(const Rotation& rotation) {
  const std::unique_ptr<Rotation> unread(
      next_rotation_.exchange(std::make_unique<Rotation>(rotation).release()));
}

void LogFile::take_rotation() {
  const std::unique_ptr<Rotation> next(next_rotation_.exchange(nullptr));
  if (!next) return;
  rotation_ = *next;
  rotate_at_ = rotation_.max_size;
  archive_ = rotation_.max_size > 0 ? std::make_unique<LogArchive>(path_, rotation_.rules) : nullptr;
  tidy_at_.reset();
}

int LogFile::open() {
  file_ = open_log(path_);
  if (!file_) return errno;
  // Opened without waiting for the reader of a FIFO, but written to as any program does.
  ::fcntl(file_.get(), F_SETFL, ::fcntl(file_.get(), F_GETFL) & ~O_NONBLOCK);
  struct stat status{};
  regular_ = ::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
  rotate_at_ = rotation_.max_size;
  return 0;
}

ssize_t LogFile::write(std::string_view lines) {
  take_rotation();
  if (reopen_.exchange(false)) file_.close();
  if (!file_) {
    if (const int error = open(); error != 0) return -error;
  }
  std::string_view piece = what_fits(lines);
  if (piece.empty()) {
    rotate();
    if (!file_) return -EINTR;  // opened at the next try
    piece = what_fits(lines);
  }
  const ssize_t n = ::write(file_.get(), piece.data(), piece.size());
  if (n < 0) return -errno;
  size_ += static_cast<std::uint64_t>(n);
  return n;
}

// Whole lines, as many as the file may still take; of an empty file at least one.
std::string_view LogFile::what_fits(std::string_view lines) {
  if (rotate_at_ == 0 || !regular_ || size_ + lines.size() <= rotate_at_) return lines;
  const std::uint64_t room = size_ < rotate_at_ ? rotate_at_ - size_ : 0;
  const std::size_t last = room == 0 ? std::string_view::npos : lines.rfind('\n', room - 1);
  if (last != std::string_view::npos) return lines.substr(0, last + 1);
  if (size_ > 0) return {};
  const std::size_t end = lines.find('\n');
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

void LogFile::rotate() {
  if (const int error = archive_->put_aside(); error != 0) {
    rotate_at_ = size_ + rotation_.max_size;  // tried again then
    trouble_ = "cannot rotate " + path_ + ": " + std::generic_category().message(error) + " (it grows on)";
    return;
  }
  file_.close();
  tidy_at_ = archive_->tidy();
}

void LogFile::attend() {
  take_rotation();
  if (reopen_.exchange(false)) file_.close();
  if (!file_)
    if (const int error = open(); error != 0)
      trouble_ = "cannot open the log file " + path_ + ": " + std::generic_category().message(error);
  if (archive_) tidy_at_ = archive_->tidy();
}

std::string LogFile::trouble() { return std::exchange(trouble_, {}); }

std::string LogFile::marker(std::uint64_t lines, std::string_view why) { return marker_(lines, why); }

}  // namespace belfry::system
