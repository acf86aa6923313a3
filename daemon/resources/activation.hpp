// Socket activation: binds what services list under `listen:`, keeps it across their restarts, and passes it
// on as LISTEN_FDS (sd_listen_fds(3)).
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/activation_socket.hpp"

namespace belfry::daemon {

// Owner: the native resources.
// Lifecycle: open() once; then bind() and close() of each service as it is wanted and not wanted.
class Activation {
 public:
  explicit Activation(const config::Stack& stack) : stack_(stack) {}

  // Looks up to whom sockets belong. An owner that does not exist is an error of bind().
  void open();

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

 private:
  using Sockets = std::vector<system::ActivationSocket>;

  Result<void> look_up_owner(const config::ListenSocket& socket, system::SocketPlan& plan) const;

  const config::Stack& stack_;
  std::unordered_map<std::size_t, std::vector<system::SocketPlan>> plans_;  // of services that have some
  std::unordered_map<std::size_t, Error> ownerless_;  // services that name an unknown owner
  std::unordered_map<std::size_t, Sockets> bound_;
};

}  // namespace belfry::daemon
