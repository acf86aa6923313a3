// Whose notify messages count: a process of the service, as `notify_access` says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/model/model.hpp"
#include "daemon/notify/socket.hpp"
#include "daemon/state/notify_refusal.hpp"

namespace belfry::daemon {

// What identifies the processes of one run.
struct Speakers {
  pid_t leader = 0;         // of its session and process group; 0: nothing of it runs
  pid_t main = 0;           // the main process: the leader, or the one that MAINPID named
  pid_t hook = 0;           // a hook or reload command that runs on its behalf, in a session of its own
  std::string_view marker;  // BELFRY_SERVICE in the environment of its processes
  uid_t uid = 0;            // whom it runs as
  config::NotifyAccess access = config::NotifyAccess::all;
};

// True when `pid` runs and is a process of the session, the group or the descent of the leader or the hook,
// or an orphan with the marker of this run. Looks into /proc only when session and group do not tell.
[[nodiscard]] bool is_process_of(pid_t pid, const Speakers& who);

// Why the sender may not speak; nothing when it may. A sender that is gone already is believed on a socket
// that is the service's own (`own_socket`), because nobody but the service's user and root can write to it.
// Root can claim to be any process that ever was, so a message from root is not believed on the socket of
// another user.
//
// `may_have_been`: whether a process of the service can have died lately. It is asked only when the sender is
// gone.
[[nodiscard]] std::optional<NotifyRefusal> refusal_of(const NotifySender& sender, const Speakers& who,
                                                      bool own_socket,
                                                      const std::function<bool()>& may_have_been = {});

// Grows whenever a living process of the service, or belfry itself, has waited for a child. A sender that is
// gone by the time its message is read was reaped by one of them, or was never a process of the service. 0:
// /proc does not tell.
[[nodiscard]] std::uint64_t burials_around(const Speakers& who);

}  // namespace belfry::daemon
