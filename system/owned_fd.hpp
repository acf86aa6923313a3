// A descriptor that is closed with its owner.
//
// A bare int does not say who closes it: it is forgotten on the way out of an error, or closed twice, and
// then whoever was given the number in between loses his. So whoever must close a descriptor holds an
// OwnedFd, and a bare int is always borrowed.
#pragma once

#include <unistd.h>

#include <utility>

namespace belfry::system {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }
  ~OwnedFd() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(release());
  }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace belfry::system
