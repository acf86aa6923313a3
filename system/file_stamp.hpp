// Whether a file is still the one that was read.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>

namespace belfry::system {

// What changes when a file is written, replaced or mounted over. All zero: there is none.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed = 0;  // ns, the later of mtime and ctime

  static FileStamp of(const struct stat& status) {
    const auto ns = [](const timespec& time) {
      return (static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000) + time.tv_nsec;
    };
    const std::int64_t written = ns(status.st_mtim);
    const std::int64_t touched = ns(status.st_ctim);
    return {status.st_dev, status.st_ino, status.st_size, written > touched ? written : touched};
  }
  static FileStamp of(const char* path) {
    struct stat status{};
    return ::stat(path, &status) == 0 ? of(status) : FileStamp{};
  }
  // The same as one number. Whoever writes a file or puts another one in its place can set its mtime to what
  // it was, and not its ctime. 0: there is none.
  static std::int64_t changed_at(const char* path) { return of(path).changed; }
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

}  // namespace belfry::system
