#include "config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace belfry::config {
namespace {

std::unexpected<FileFault> fault(int code) { return std::unexpected(FileFault{code, std::strerror(code)}); }

}  // namespace

std::expected<std::string, FileFault> read_file(std::string const& path, std::size_t most) {
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fault(errno);
  std::string text;
  struct stat status{};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
      static_cast<std::size_t>(status.st_size) <= most)
    text.reserve(static_cast<std::size_t>(status.st_size) + 1);
  int code = 0;
  for (;;) {
    std::size_t const have = text.size();
    text.resize(have + 65536);
    ssize_t const got = ::read(file, text.data() + have, 65536);
    text.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) code = errno;
    if (text.size() > most) code = EFBIG;
    if (got <= 0 || code != 0) break;
  }
  ::close(file);
  if (code != 0) return fault(code);
  return text;
}

bool readable_by_others(std::string const& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
}

}  // namespace belfry::config
