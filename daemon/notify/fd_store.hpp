// Descriptors that a service has left with belfry for its next run (FDSTORE=1, sd_notify(3)).
//
// They survive restarts and crashes of the service, and go when it is stopped by command or shutdown, when it
// asks for that (FDSTOREREMOVE=1), or when their other end is gone (EPOLLHUP, EPOLLERR).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "system/owned_fd.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// A descriptor of belfry's that a service is given under a name (sd_listen_fds_with_names(3)). Borrowed.
struct NamedDescriptor {
  int fd = -1;
  std::string_view name;
};

// Owner: the service's endpoint at the NotifyRouter. Lifecycle: outlives the runs of the service; closes what
// it holds.
class FdStore {
 public:
  // Told of every change of size(), except by its destructor.
  using Changed = std::function<void(std::size_t)>;
  FdStore(system::Poller& poller, std::size_t limit, Changed changed)
      : poller_(poller), limit_(limit), changed_(std::move(changed)) {}
  ~FdStore() = default;
  FdStore(const FdStore&) = delete;
  FdStore& operator=(const FdStore&) = delete;

  // Takes `fd` over. One whose open file is stored already is closed and counts as stored. False: there was
  // no room, and it was closed. An empty name is "stored".
  bool add(system::OwnedFd fd, std::string_view name, bool poll);
  void remove(std::string_view name);
  void clear();
  [[nodiscard]] std::size_t size() const { return stored_.size(); }

  // What the next run is given, in the order in which it came. Nothing of it is closed until take_back(), not
  // even when its other end goes, because the numbers stand in a launch.
  [[nodiscard]] std::vector<NamedDescriptor> lend();
  void take_back();

 private:
  struct Stored final : system::PollWatcher {
    Stored(FdStore& s, system::OwnedFd f, std::string n) : store(s), fd(std::move(f)), name(std::move(n)) {}
    ~Stored();
    void on_event(std::uint32_t events) override;
    FdStore& store;
    system::OwnedFd fd;
    std::string name;
    bool polled = false;
    bool gone = false;  // removed while it was lent
  };

  void drop(Stored& one);

  system::Poller& poller_;
  std::size_t limit_;
  Changed changed_;
  bool lent_ = false;
  std::vector<std::unique_ptr<Stored>> stored_;
};

}  // namespace belfry::daemon
