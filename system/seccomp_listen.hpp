// The listen notifier: belfry is told of listen(2) the moment a service calls it, without the service's help
// and without asking again and again. It is seccomp's user notification (seccomp_unotify(2)).
//
// The child of a spawn installs a filter that stops its callers of listen(2) until belfry has said CONTINUE;
// the whole tree that grows from it inherits the filter, whatever sessions, users or threads it makes. The
// call itself is the kernel's: nothing is judged, changed or done on the service's behalf.
//
// Whoever holds the descriptor must serve it for as long as the tree lives: while nobody answers, listen(2)
// does not return; when the descriptor is closed, it fails with ENOSYS.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

#include "system/socket_identity.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// What a launch asks for, and what its spawn answers. Owner: whoever prepared the launch, which only
// points at it. The descriptor is the owner's to close.
struct ListenNotifierRequest {
  bool udp = false;     // bind(2) as well: UDP sockets do not listen
  int descriptor = -1;  // answer: where notifications arrive, close-on-exec; -1: there is no notifier
  int errnum = 0;       // answer: why there is none. The service was started all the same
};

// The errnum of a spawn whose child has a descriptor table of its own from the start: there is no way for
// the notification descriptor back to belfry.
inline constexpr int no_shared_table = 0x10000;

// The filter for this machine: native calls and those of its 32-bit programs. Empty: not written for it yet.
[[nodiscard]] std::span<const sock_filter> listen_filter(bool udp);

// What decides before any attempt whether the kernel would let a filter be installed.
struct ListenNotifierRights {
  bool admin = false;              // CAP_SYS_ADMIN is effective
  bool no_new_privileges = false;  // set for belfry already, and so for all its children
  static ListenNotifierRights own();
};

// A call whose caller stands still until it is let go.
struct CaughtCall {
  enum class Kind : std::uint8_t { listen, bind, io_uring };
  Kind kind = Kind::listen;
  // What it calls for, read while it stands still; empty: not asked for, or not permitted.
  std::optional<SocketIdentity> socket{};
  std::uint64_t id = 0;  // the kernel's
  pid_t caller = 0;      // the thread that calls, in the pid namespace of belfry; 0: the kernel does not say
};

// Owner: the daemon's listen notifiers, one per run.
// Lifecycle: takes the descriptor over and closes it. Destroy it when the descriptor has hung up (the whole
//   tree is gone), and not before.
class ListenNotifier {
 public:
  explicit ListenNotifier(int descriptor, Syscalls& syscalls = Syscalls::real());
  ~ListenNotifier();
  ListenNotifier(const ListenNotifier&) = delete;
  ListenNotifier& operator=(const ListenNotifier&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  // Opens a process ahead of its calls: a pidfd costs more than all the rest of a call that is caught. Zero:
  // nobody any more.
  void expect(pid_t caller);
  // Call it once for each time that epoll says readable: it would wait if there were none. Whatever it
  // returns must be let go in the same turn. Empty: the caller has died meanwhile. `identify_socket`: by a
  // copy that is closed again before this returns, because the caller must find its address as free as it
  // would be without belfry.
  std::optional<CaughtCall> take(bool identify_socket);
  // The caller goes on; what it called for comes afterwards. False: it had died, and what was read may have
  // been another's.
  [[nodiscard]] bool let_go(const CaughtCall& call);

 private:
  int copy_socket_of(pid_t thread, int fd);

  Syscalls& syscalls_;
  int descriptor_;
  pid_t expected_ = 0;
  int process_ = -1;  // a pidfd of whom is expected
};

}  // namespace belfry::system
