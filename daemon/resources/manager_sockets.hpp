// Sockets that live longer than this belfry, because its service manager has them too: those of socket units,
// which the manager listens on itself, and those of `listen:`, which belfry leaves in the manager's store so
// that nobody is refused while it is started again (sd_listen_fds(3), sd_notify(3)).
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "channels/error.hpp"
#include "daemon/notify/descriptor_store.hpp"
#include "system/activation_socket.hpp"
#include "system/inherited_descriptors.hpp"
#include "system/owned_fd.hpp"

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: take() and store_in() before the first get(); outlives every socket
// that it has given out. Without a service manager all sockets are simply bound.
class ManagerSockets final : public system::SocketKeeper {
 public:
  // What came with this process: what belfry has stored itself is known by its name.
  void take(std::vector<system::InheritedDescriptor> descriptors);
  void store_in(DescriptorStore& store) { store_ = &store; }
  // Of what could not be stored, for people.
  std::function<void(const std::string& text)> on_remark;

  // The socket that the service manager passes by this name, which must be where the plan says; or the one
  // that was stored; or a new one, which is stored.
  Result<system::ActivationSocket> get(const std::string& name, const system::SocketPlan& plan);

  // Everybody who wants one at the start has his: what is left is closed, and taken out of the store, but for
  // what has one of these names.
  void give_up_all_but(const std::set<std::string>& names);
  // From now on what is closed stays stored, for the next belfry.
  void leave_to_the_next() { leaving_ = true; }

  // What was passed by a name that is none of these, for people.
  [[nodiscard]] std::vector<std::string> unknown(const std::set<std::string>& names) const;

  bool let_go(int fd) override;

 private:
  // Passed by the manager, which has it open for as long as it likes: one who is given it gets a copy.
  struct Passed {
    std::string name;
    system::OwnedFd fd;
    int given = -1;
  };
  // Left by the belfry before this one.
  struct Left {
    std::string stored_as;
    std::string name;
    system::OwnedFd fd;
  };
  // Somebody has it, and the store too.
  struct Stored {
    std::string stored_as;
    int fd = -1;
  };

  using Found = Result<std::vector<Passed>::iterator>;
  Found find_passed(const std::string& name, const system::SocketPlan& plan);
  Result<system::ActivationSocket> give(Passed& passed, const system::SocketPlan& plan);
  std::vector<Left>::iterator find_left(const std::string& name, const system::SocketPlan& plan);
  system::ActivationSocket give(std::vector<Left>::iterator left, const system::SocketPlan& plan);
  std::vector<Left>::iterator drop(std::vector<Left>::iterator left);
  void clear_the_way(const system::SocketPlan& plan);
  Result<system::ActivationSocket> bind(const std::string& name, const system::SocketPlan& plan);
  void store(int fd, std::string stored_as);

  DescriptorStore* store_ = nullptr;  // null: there is none
  std::vector<Passed> passed_;
  std::vector<Left> left_;
  std::vector<Stored> stored_;
  bool leaving_ = false;
  bool full_told_ = false;
};

}  // namespace belfry::daemon
