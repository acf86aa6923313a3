// The socket that a service sends its sd_notify messages to.
//
// One per service that depends on it (so that a sender that is already gone is still attributed), one shared
// by all others of belfry's own user (daemon/notify/router). Credentials come from the kernel
// (SCM_CREDENTIALS, unix(7)).
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
#include "system/poller.hpp"

namespace belfry::daemon {

// Who sent a datagram, as the kernel says. Root may say that it is any process.
struct NotifySender {
  pid_t pid = 0;
  uid_t uid = 0;
};

// What was attached to a message: whatever nobody has taken is closed with it.
class AttachedDescriptors {
 public:
  AttachedDescriptors() = default;
  ~AttachedDescriptors();
  AttachedDescriptors(const AttachedDescriptors&) = delete;
  AttachedDescriptors& operator=(const AttachedDescriptors&) = delete;

  void add(int fd) { fds_.push_back(fd); }
  // They are the caller's now.
  [[nodiscard]] std::vector<int> take() { return std::move(fds_); }
  [[nodiscard]] std::size_t size() const { return fds_.size(); }

 private:
  std::vector<int> fds_;
};

using HeardMessage = std::expected<NotifyMessage, NotifyRefusal>;

class NotifyReceiver {
 public:
  virtual void on_message(const NotifySender& sender, const HeardMessage& message,
                          AttachedDescriptors& attached) = 0;

 protected:
  ~NotifyReceiver() = default;
};

// A flood costs little: beyond so many messages in a window the socket is not looked at until the next
// one, and the kernel keeps the sender waiting (or tells it EAGAIN). Otherwise belfry would spend all of a
// processor on one who shouts, and come late to everybody else, as any busy process does.
// Owner: the NotifyRouter. Lifecycle: bound by open(), unlinked by the destructor. Cancellation: none.
class NotifySocket final : PollWatcher {
 public:
  NotifySocket(Poller& poller, NotifyReceiver& receiver) : poller_(poller), receiver_(&receiver) {}
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
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void on_event(std::uint32_t events) override;
  bool receive_one();
  void pause();

  Poller& poller_;
  NotifyReceiver* receiver_;  // null: unplugged
  std::string path_;
  int fd_ = -1;
  std::uint32_t heard_ = 0;  // in the window that began then
  TimePoint began_at_{};
  std::unique_ptr<Timer> paused_;  // null: it was never necessary
};

}  // namespace belfry::daemon
