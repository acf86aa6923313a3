// `port: N`: true when a process of this service listens there. The kernel is asked; nobody is connected to.
#include <unistd.h>

#include <algorithm>

#include "probes/kinds.hpp"
#include "system/proc.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

namespace {

class PortProbe final : public Probe {
 public:
  PortProbe(const config::Probe& spec, const ProbeContext& about)
      : port_(spec.port), udp_(spec.udp), tree_(about.tree) {}

  Task<Outcome> check(Context&) override {
    const std::string where = (udp_ ? "udp port " : "port ") + std::to_string(port_);
    const std::vector<ino_t> inodes = diag_.listeners(port_, udp_);
    if (inodes.empty()) co_return std::unexpected(Error(Error::Kind::failed, "nobody listens on " + where));
    if (tree_.leader != 0 && !is_ours(inodes)) {
      co_return std::unexpected(
          Error(Error::Kind::failed, "another process listens on " + where + " (ss -ltnp shows which)"));
    }
    co_return Outcome{};
  }

 private:
  // A stale or foreign process on the port must not ring the bell: one of ours has to hold the socket. Who
  // left the leader's descent (a double fork) is a child of belfry now and carries the service's marker.
  [[nodiscard]] bool is_ours(const std::vector<ino_t>& inodes) const {
    if (holds_one(system::proc::descendants_of({tree_.leader}), inodes)) return true;
    std::vector<pid_t> orphans = system::proc::children_of(::getpid());
    std::erase_if(orphans, [this](pid_t pid) {
      return ::getsid(pid) != tree_.leader &&
             system::proc::variable_of(pid, "BELFRY_SERVICE") != std::string(tree_.marker);
    });
    return holds_one(system::proc::descendants_of(std::move(orphans)), inodes);
  }
  static bool holds_one(const std::vector<pid_t>& pids, const std::vector<ino_t>& inodes) {
    return std::ranges::any_of(pids, [&inodes](pid_t pid) {
      const auto sockets = system::proc::sockets_of(pid);
      return std::ranges::find_first_of(sockets, inodes) != sockets.end();
    });
  }

  std::uint16_t port_;
  bool udp_;
  system::TreeId tree_;
  system::SockDiag diag_;
};

}  // namespace

Made make_port(const config::Probe& spec, const ProbeContext& about) {
  return std::make_unique<PortProbe>(spec, about);
}

}  // namespace belfry::probes
