// Many quiet descriptors behind one: an epoll set of its own, of which Asio sees a single descriptor.
//
// A stack has a log pipe and often a notify socket per service. As Asio descriptors each would cost some
// 300 bytes and a task; here one costs the kernel's entry and nothing else, and a turn looks at all that
// have something to say.
//
// The contract: a watcher is called on the loop's thread, once for each event that the kernel tells, and
// never after it was taken out with remove(), forget() or close(), not even when its event had been fetched
// already and stands in the round that is being delivered. The kernel keeps a descriptor in the set for as
// long as anybody has the open file open: what others may still hold (a descriptor that a service was given)
// must be taken out with remove(); closing it is not enough.
//
// A watcher that throws has broken: it is taken out, what it threw is told to Loop::on_unread_error, and the
// others are watched as before, because a stop in good order needs them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/handshake.hpp"
#include "system/owned_fd.hpp"

struct epoll_event;

namespace belfry::system {

class PollWatcher {
 public:
  // `events` as epoll_wait(2) gives them. May add and remove descriptors, its own included.
  virtual void on_event(std::uint32_t events) = 0;
  // For whoever looks what a long turn was busy with; a literal.
  [[nodiscard]] virtual std::string_view what() const { return "descriptor events"; }

 protected:
  ~PollWatcher() = default;

 private:
  friend class Poller;
  int polled_ = -1;  // the descriptor that was added last
};

// Owner: the Daemon.
// Lifecycle: watches from construction on; stop() before destruction. Descriptors are the caller's.
// Cancellation: stop().
class Poller {
 public:
  explicit Poller(Context& parent);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Level-triggered. The watcher must be removed before it or its descriptor goes.
  Result<void> add(int fd, std::uint32_t events, PollWatcher& watcher);
  void remove(int fd, PollWatcher& watcher);
  // The same for a descriptor that is closed right afterwards: closing takes it out of the set by itself
  // (epoll(7), as nobody else holds it), so only what is being delivered has to be struck out.
  void forget(PollWatcher& watcher);
  // Takes the descriptor over; the watcher hears nothing more of it. It is closed when nobody has anything to
  // do, and what the kernel has told by now has been dealt with: who ends closes everything and exits in the
  // same moment, and it is the exit that others wait for.
  void close(OwnedFd fd, PollWatcher& watcher);
  // From here on the wait for events does not keep Loop::run from returning asleep. They are delivered as
  // before.
  void wait_in_background();
  // Result<void>: what ended it before, if something did.
  Task<Result<void>> stop();
  [[nodiscard]] Loop& loop() const;

 private:
  struct State;
  static Task<void> watch(Context& ctx, State& state);
  static void take_out(State& state, const epoll_event& event);
  std::unique_ptr<State> state_;
};

}  // namespace belfry::system
