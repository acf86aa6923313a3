// The socket that a service sends its sd_notify messages to, and who may.
//
// One per service that depends on it (so that a sender that is already gone is still attributed), one shared
// by all others of belfry's own user. Credentials come from the kernel (SCM_CREDENTIALS, unix(7)).
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "channels/error.hpp"
#include "daemon/notify_message.hpp"
#include "daemon/poller.hpp"

namespace belfry::daemon {

// Who sent a datagram, as the kernel says.
struct NotifySender {
  pid_t pid = 0;
  uid_t uid = 0;
};

class NotifyReceiver {
 public:
  virtual void on_message(const NotifySender& sender, const Result<NotifyMessage>& message) = 0;

 protected:
  ~NotifyReceiver() = default;
};

// Owner: the provisions. Lifecycle: bound by open(), unlinked by the destructor. Cancellation: none.
class NotifySocket final : PollWatcher {
 public:
  NotifySocket(Poller& poller, NotifyReceiver& receiver) : poller_(poller), receiver_(receiver) {}
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // Mode 0600, owned by `owner`: nobody else can send at all.
  Result<void> open(std::string path, uid_t owner);
  // Takes in everything that has arrived.
  void drain();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void on_event(std::uint32_t events) override;
  bool receive_one();

  Poller& poller_;
  NotifyReceiver& receiver_;
  std::string path_;
  int fd_ = -1;
};

// True when `pid` is a process of the session, the group or the descent of `leader`, or is gone already.
[[nodiscard]] bool may_speak_for(pid_t pid, pid_t leader);

}  // namespace belfry::daemon
