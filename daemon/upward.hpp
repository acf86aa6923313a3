// What belfry itself tells the supervisor above it (systemd, or another belfry): sd_notify(3), sending side.
#pragma once

#include <string>
#include <string_view>

namespace belfry::daemon {

// Owner: App. Lifecycle: reads $NOTIFY_SOCKET once. Cancellation: none: a datagram that can't be sent at once
// is dropped, nobody waits for it.
class Upward {
 public:
  Upward();
  ~Upward();
  Upward(const Upward&) = delete;
  Upward& operator=(const Upward&) = delete;

  void tell(std::string_view message) const;  // "READY=1\nSTATUS=4 of 4 services ready"

 private:
  int fd_ = -1;
};

}  // namespace belfry::daemon
