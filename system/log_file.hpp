// A log file: appended to, rotated when it has grown enough, opened again on demand (logrotate(8) has renamed
// it).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "system/log_archive.hpp"
#include "system/output_target.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

// It is made with mode 0640, less the umask. A name that leads elsewhere (a symbolic link) is followed only
// when belfry's user or root has made it: who may write to the directory must not choose what root appends
// to. What is no regular file (/dev/stdout, a FIFO) is never rotated.
//
// Where it cannot be rotated it grows on, and trouble() says so: a line too many is better than none.
class LogFile final : public OutputTarget {
 public:
  struct Rotation {
    std::uint64_t max_size = 0;  // 0: it is not rotated
    ArchiveRules rules;
    friend bool operator==(const Rotation&, const Rotation&) = default;
  };
  // `marker` is how a line says that others are missing.
  using Marker = std::function<std::string(std::uint64_t lines, std::string_view why)>;

  LogFile(std::string path, Rotation rotation, Marker marker);
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  ssize_t write(std::string_view lines) override;
  void attend() override;
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> attend_at() const override {
    return tidy_at_;
  }
  std::string trouble() override;
  std::string marker(std::uint64_t lines, std::string_view why) override;
  void ask_to_reopen() override { reopen_ = true; }
  // Any thread: it is rotated like this from the next chance on.
  void ask_to_rotate_by(const Rotation& rotation);

 private:
  int open();
  void rotate();
  void take_rotation();
  [[nodiscard]] std::string_view what_fits(std::string_view lines);

  const std::string path_;
  Rotation rotation_;
  const Marker marker_;
  std::atomic<bool> reopen_ = false;
  std::atomic<Rotation*> next_rotation_ = nullptr;  // owned by whoever takes it out
  OwnedFd file_;
  bool regular_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t rotate_at_ = 0;
  std::string trouble_;
  std::optional<std::chrono::system_clock::time_point> tidy_at_;
  std::unique_ptr<LogArchive> archive_;  // null: not rotated
};

}  // namespace belfry::system
