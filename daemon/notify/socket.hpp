// The socket that services send their sd_notify messages to.
//
// A service that depends on being heard has one of its own, so that a sender that is already gone is still
// attributed; all others of belfry's own user share one (daemon/notify/router).
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "channels/error.hpp"
#include "channels/timer_queue.hpp"
#include "daemon/notify/message.hpp"
#include "system/datagram_socket.hpp"
#include "system/owned_fd.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// Who sent a message, as the kernel says. Root may say that it is any process.
struct NotifySender {
  pid_t pid = 0;  // 0: it is in no PID namespace that shows here
  uid_t uid = 0;
};

// What was attached to a message: whatever nobody has taken is closed with it.
using AttachedDescriptors = std::vector<system::OwnedFd>;

using HeardMessage = std::expected<NotifyMessage, NotifyRefusal>;

class NotifyReceiver {
 public:
  virtual void on_message(const NotifySender& sender, const HeardMessage& message,
                          AttachedDescriptors& attached) = 0;

 protected:
  ~NotifyReceiver() = default;
};

// A flood costs little: beyond so many messages in a window the socket is not looked at until the next
// one, and the kernel keeps the sender waiting (or tells it EAGAIN). Otherwise a single sender could keep
// belfry busy, and belfry would come late to everybody else. Owner: the NotifyRouter. Lifecycle: bound by
// open(), unlinked by the destructor.
class NotifySocket final : system::PollWatcher {
 public:
  NotifySocket(system::Poller& poller, NotifyReceiver& receiver) : poller_(poller), receiver_(&receiver) {}
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // Mode 0600, owned by `owner`: nobody else can send at all. Root's is 0666: its services may give up being
  // root and must still be heard.
  Result<void> open(std::string path, uid_t owner);
  static constexpr std::uint32_t most_in_a_window = 200;
  static constexpr Duration window = std::chrono::milliseconds(50);

  // Takes in what has arrived so far, as much as the kernel's queue holds: a sender that is faster than the
  // loop does not get to hold it.
  void drain();
  // Nobody listens any more; what arrives until it is destroyed is lost.
  void unplug() { receiver_ = nullptr; }
  [[nodiscard]] const std::string& path() const { return socket_.path(); }

 private:
  void on_event(std::uint32_t events) override;
  bool receive_one();
  void pause();

  system::Poller& poller_;
  NotifyReceiver* receiver_;  // null: unplugged
  system::CredentialSocket socket_;
  std::uint32_t heard_ = 0;  // in the window that began then
  TimePoint began_at_{};
  std::unique_ptr<Timer> paused_;  // null: it was never necessary
};

}  // namespace belfry::daemon
