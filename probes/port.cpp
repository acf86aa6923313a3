// `port: N`: true when a process of this service listens there. The kernel is asked; nobody is connected to.
#include "probes/kinds.hpp"
#include "probes/owner.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

namespace {

// Owner: the incarnation's watch. Lifecycle: any number of checks. Cancellation: none needed, a check
// never waits.
class PortProbe final : public Probe {
 public:
  PortProbe(system::SockDiag& diag, const config::Probe& spec, const ProbeContext& about)
      : diag_(diag), port_(spec.port), udp_(spec.udp), tree_(about.tree) {}

  Task<Outcome> check(Context&) override {
    const std::string where = (udp_ ? "udp port " : "port ") + std::to_string(port_);
    const std::vector<ino_t> inodes = diag_.listeners(port_, udp_);
    if (inodes.empty()) co_return std::unexpected(Error(Error::Kind::failed, "nobody listens on " + where));
    if (tree_.leader != 0 && !holds_one(tree_, inodes)) {
      co_return std::unexpected(
          Error(Error::Kind::failed, "another process listens on " + where + " (ss -lnp shows which)"));
    }
    co_return Outcome{};
  }

 private:
  system::SockDiag& diag_;
  std::uint16_t port_;
  bool udp_;
  system::TreeId tree_;
};

}  // namespace

Made make_port(system::SockDiag& diag, const config::Probe& spec, const ProbeContext& about) {
  return std::make_unique<PortProbe>(diag, spec, about);
}

}  // namespace belfry::probes
