#include "config/document/files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace belfry::config {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{10};  // with a pipe

std::unexpected<FileFault> fault(int code) { return std::unexpected(FileFault{code, std::strerror(code)}); }
std::unexpected<FileFault> no_file(const char* message) {
  return std::unexpected(FileFault{EINVAL, message});
}

bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

std::expected<void, FileFault> readable_kind(const struct stat& status, Accept accept) {
  if (S_ISREG(status.st_mode) || is_null_device(status)) return {};
  if (S_ISDIR(status.st_mode)) return fault(EISDIR);
  if (S_ISFIFO(status.st_mode)) {
    if (accept == Accept::files_and_pipes) return {};
    return no_file("it is a pipe, not a file");
  }
  return no_file(S_ISSOCK(status.st_mode) ? "it is a socket, not a file" : "it is a device, not a file");
}

// Whether there is something to read, or an end, before `deadline`.
bool becomes_readable(int file, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd one{file, POLLIN, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::expected<std::string, FileFault> read_all(int file, std::size_t most, std::size_t expected) {
  std::string text;
  text.reserve(std::min(expected, most) + 1);
  const Clock::time_point deadline = Clock::now() + patience;
  for (;;) {
    const std::size_t have = text.size();
    text.resize(have + 65536);
    const ssize_t got = ::read(file, text.data() + have, 65536);
    const int code = errno;
    text.resize(have + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    if (got == 0) return text;
    if (text.size() > most)
      return std::unexpected(FileFault{EFBIG, "it is larger than " + std::to_string(most >> 10U) + " KiB"});
    if (got > 0 || code == EINTR) continue;
    if (code != EAGAIN) return fault(code);
    if (!becomes_readable(file, deadline))
      return std::unexpected(FileFault{ETIMEDOUT, "this pipe has not come to its end within 10 s"});
  }
}

thread_local const ReadWatch::AboutToRead* watched = nullptr;

}  // namespace

ReadWatch::ReadWatch(const AboutToRead& about_to_read) { watched = about_to_read ? &about_to_read : nullptr; }

ReadWatch::~ReadWatch() { watched = nullptr; }

std::expected<std::string, FileFault> read_file(const std::string& path, std::size_t most, Accept accept) {
  if (watched != nullptr) (*watched)(path);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fault(errno);
  if (const auto fits = readable_kind(status, accept); !fits) return std::unexpected(fits.error());
  // Without O_NONBLOCK the open of a pipe waits for a writer. What was looked at may have been replaced.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return fault(errno);
  std::expected<std::string, FileFault> text;
  if (::fstat(file, &status) != 0)
    text = fault(errno);
  else if (const auto fits = readable_kind(status, accept); !fits)
    text = std::unexpected(fits.error());
  else
    text = read_all(file, most, static_cast<std::size_t>(status.st_size));
  ::close(file);
  return text;
}

bool readable_by_others(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
}

}  // namespace belfry::config
