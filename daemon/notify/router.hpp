// The router of notify messages: what services say with sd_notify(3) arrives here, is attributed to one of
// them, and is passed on to it.
//
// A service that depends on being heard has a socket of its own, so that a sender that is gone already is
// still attributed; the others share one and are told apart by the sender's session. Whatever the sender may
// not say is refused and counted; descriptors that nobody keeps are closed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "channels/loop.hpp"
#include "daemon/notify/access.hpp"
#include "daemon/notify/fd_store.hpp"
#include "daemon/notify/socket.hpp"
#include "daemon/service/service_ref.hpp"
#include "system/identity.hpp"
#include "system/launch.hpp"
#include "system/pid_map.hpp"
#include "system/poller.hpp"
#include "system/socket_directory.hpp"

namespace belfry::daemon {

// The last sender that was found to be no process of any service: to find that out again would cost a look
// into /proc for each message of a flood. It is believed for a tenth of a second only.
class UnattributedSender {
 public:
  void remember(pid_t pid, TimePoint now) { pid_ = pid, until_ = now + std::chrono::milliseconds(100); }
  [[nodiscard]] bool is(pid_t pid, TimePoint now) const { return pid == pid_ && now < until_; }

 private:
  pid_t pid_ = 0;
  TimePoint until_{};
};

// Owner: the native resources.
// Lifecycle: open() before the first service; outlives the services.
class NotifyRouter final : NotifyReceiver {
 public:
  NotifyRouter(Loop& loop, system::Poller& poller, std::size_t services);
  ~NotifyRouter();
  NotifyRouter(const NotifyRouter&) = delete;
  NotifyRouter& operator=(const NotifyRouter&) = delete;

  Result<void> open();
  // There are so many services from now on.
  void grow(std::size_t services);
  // Tells the next run where to speak, and how often it must (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID).
  // What the last run has said by now is taken in first, so that it does not count as the next one's.
  Result<void> prepare(const ServiceRef& service, system::Launch& launch);
  // Tells a hook where its service speaks. On the shared socket it could not be told apart.
  void announce(const ServiceRef& service, system::Launch& launch) const;
  // What the service has stored, for its next run; until launched() it stays as it is.
  [[nodiscard]] std::vector<NamedDescriptor> stored(const ServiceRef& service);
  // The clone has been tried: `pid` is the run's first process, 0 when there is none. `service` stays where
  // it is until release().
  void launched(const ServiceRef& service, pid_t pid);
  // Takes in what has arrived.
  void drain(const ServiceRef& service);
  // Nothing of the service runs or is about to. The descriptors that it has stored are closed when it has
  // been stopped or has ended for good; a blocked service may come back by itself, and keeps them.
  bool release(const ServiceRef& service, bool may_come_back);
  bool signal_main(const ServiceRef& service, int signo);
  // As if the service had said MAINPID=pid. False: it is gone.
  bool follow_main(const ServiceRef& service, pid_t pid);

  // Where its sockets lie; known after open().
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }
  // Messages on the shared socket that came from no process of any service.
  [[nodiscard]] const std::uint64_t& unattributed() const { return unattributed_; }

 private:
  struct Endpoint;  // the router's side of one service

  void on_message(const NotifySender& sender, const HeardMessage& message,
                  AttachedDescriptors& attached) override;
  [[nodiscard]] const std::uint32_t* attribute(pid_t pid);
  void deliver(const ServiceRef& service, Endpoint* endpoint, const NotifySender& from,
               const HeardMessage& message, AttachedDescriptors& attached);
  void take(const ServiceRef& service, Endpoint* endpoint, const NotifySender& sender,
            const NotifyMessage& message, AttachedDescriptors& attached);
  void claim_main(const ServiceRef& service, const NotifySender& sender, pid_t pid);
  void store(const ServiceRef& service, Endpoint* endpoint, const NotifyMessage& message,
             AttachedDescriptors& attached);
  Result<void> open_own_socket(const ServiceRef& service, uid_t owner);
  Endpoint& endpoint_of(const ServiceRef& service);
  void set_leader(const ServiceRef& service, pid_t pid);
  void close_afterwards(std::unique_ptr<NotifySocket> socket);
  void close_some();

  Loop& loop_;
  system::Poller& poller_;
  const uid_t own_user_ = system::own_user();
  system::SocketDirectory directory_;
  std::unique_ptr<NotifySocket> shared_;
  std::vector<const ServiceRef*> services_;           // the running ones that share it, by index
  std::vector<std::unique_ptr<Endpoint>> endpoints_;  // null: shares the socket and needs nothing else
  system::PidMap<std::uint32_t> by_leader_;           // the running ones that share it
  std::vector<pid_t> leaders_;                        // under which each stands there
  UnattributedSender unattributed_sender_;
  std::vector<std::unique_ptr<NotifySocket>> leaving_;  // closed when nothing else is to be done
  std::uint64_t unattributed_ = 0;
};

}  // namespace belfry::daemon
