// `port: N` and `unix: path`: true when a process of this service listens there. Nobody is connected to: the
// service's trap shows the socket the moment it listens, or the kernel is asked now and then.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/factory.hpp"
#include "probes/listen_watch/ear.hpp"
#include "probes/owner.hpp"
#include "probes/probe.hpp"
#include "probes/schedule.hpp"

namespace belfry::system {
class SockDiag;
}

namespace belfry::probes {

// How many probes of the daemon ask the kernel in turn: the more, the slower each.
// Owner: the factory. Lifecycle: outlives its probes. Cancellation: none.
struct PortWaiters {
  std::size_t count = 0;
};

// Owner: the incarnation's watch. Lifecycle: waits until a check was true, and again after one that was not.
// Cancellation: none needed, a check never waits.
class ListenProbe final : public Probe {
 public:
  ListenProbe(system::SockDiag& diag, PortWaiters& waiters, const ProbeContext& about, Awaited what);
  ~ListenProbe() override;

  Task<Outcome> check(Context&) override;
  std::optional<Duration> next_look(std::uint32_t looks_since_event) const override;
  std::string method() const override;

 private:
  [[nodiscard]] bool is_trapped() const { return ear_ != nullptr && ear_->is_trapped(); }
  [[nodiscard]] std::string where() const;
  Outcome look();
  [[nodiscard]] bool is_ours(const std::vector<system::ListeningSocket>& sockets) const;
  bool is_thorough();
  void wait(bool waiting);

  system::SockDiag& diag_;
  PortWaiters& waiters_;
  std::shared_ptr<ListenEar> ear_;
  Awaited what_;
  system::TreeId tree_;
  ForeignHolder holder_;
  bool waiting_ = false;
  bool was_there_ = false;
  std::uint32_t looks_ = 0;
};

}  // namespace belfry::probes
