// Socket activation: binds what services list under `listen:`, keeps it across their restarts, and passes it
// on as LISTEN_FDS (sd_listen_fds(3)).
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/resources/manager_sockets.hpp"
#include "system/activation_socket.hpp"

namespace belfry::daemon {

// Owner: the native resources; borrows `manager`, which has some of the sockets as well.
// Lifecycle: open() once; then bind() and close() of each service as it is wanted and not wanted.
class Activation {
 public:
  explicit Activation(ManagerSockets& manager) : manager_(manager) {}

  // Looks up to whom sockets belong. An owner that does not exist is an error of bind().
  void open(const config::Stack& stack);

  // What sockets are called that a service of this stack may want, and of these, whose address is known later
  // than the start.
  struct Names {
    std::set<std::string> all, late;
  };
  [[nodiscard]] static Names names_in(const config::Stack& stack);

  // Where the sockets of a service are, when its file did not say so; those of before are closed.
  void plan(std::size_t service, const std::vector<config::ListenSocket>& sockets);

  // Binds all sockets of the service, or none and says why. Those that are bound already stay, and with them
  // the clients that wait in their backlog; one whose path has gone is bound anew. Error kind: failed.
  Result<void> bind(std::size_t service);

  struct Passed {
    int fd = -1;  // ours; blocking
    const std::string* name = nullptr;
  };
  // In the order of the file, for a service that is bound.
  [[nodiscard]] std::vector<Passed> passed(std::size_t service) const;

  // Clients are refused from now on, unless a process that was given the socket still has it.
  void close(std::size_t service) { bound_.erase(service); }

  // --- a reload
  // Binds what the service is to have and nobody of the stack has yet; kept until place() or
  // forget_admitted(). `frees`: somebody stops first who may have the address, so that it is no error if it
  // is taken.
  Result<void> admit(std::size_t service, const std::vector<config::ListenSocket>& sockets, bool frees);
  void forget_admitted() { admitted_.clear(); }
  // What is bound is kept when it is closed, until place().
  void keep(std::size_t service);
  // From now on these are its sockets. What it had before at the same address, in the same way, stays the
  // same socket with the clients in its backlog; whatever is not bound yet is, with bind(), which says what
  // is wrong.
  void place(std::size_t service, const std::vector<config::ListenSocket>& sockets);
  void forget(std::size_t service);

 private:
  using Sockets = std::vector<system::ActivationSocket>;

  // One that is to be bound, and what the service calls it.
  struct Planned {
    system::SocketPlan plan;
    std::string name;
  };
  struct Admitted {
    system::SocketPlan plan;
    system::ActivationSocket socket;
  };
  // Of one service while a reload is on its way.
  struct Changing {
    std::vector<Planned> plans;
    Sockets sockets;
  };
  static std::optional<system::ActivationSocket> take(Changing& from, const system::SocketPlan& plan);
  [[nodiscard]] bool is_ours(const std::string& address) const;

  Result<void> look_up_owner(const config::ListenSocket& socket, system::SocketPlan& plan) const;

  ManagerSockets& manager_;
  std::unordered_map<std::size_t, std::vector<Planned>> plans_;  // of services that have some
  std::unordered_map<std::size_t, Error> ownerless_;             // services that name an unknown owner
  std::unordered_map<std::size_t, Sockets> bound_;
  std::unordered_map<std::size_t, std::vector<Admitted>> admitted_;
  std::unordered_map<std::size_t, Changing> kept_;
};

}  // namespace belfry::daemon
