// `port: N` and `unix: path`: true when a process of this service listens there. Nobody is connected to: the
// service's notifier shows the socket the moment it listens, or the kernel is asked now and then.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/factory.hpp"
#include "probes/kernel_questions.hpp"
#include "probes/listen_monitor/monitor.hpp"
#include "probes/probe.hpp"
#include "probes/schedule.hpp"
#include "probes/socket_owners.hpp"

namespace belfry::probes {

// Owner: the incarnation's watch. Lifecycle: waits until a check was true, and again after one that was not.
// Cancellation: a check waits only while it is searched whose a socket is.
class ListenProbe final : public Probe {
 public:
  ListenProbe(KernelQuestions questions, const ProbeContext& about, Awaited what);
  ~ListenProbe() override;

  Task<Outcome> check(Context&) override;
  std::optional<Duration> next_look(std::uint32_t looks_since_event) const override;
  std::string method() const override;
  std::string polling() const override;
  bool can_be_lost() const override { return true; }

 private:
  [[nodiscard]] bool is_trapped() const { return monitor_ != nullptr && monitor_->is_trapped(); }
  [[nodiscard]] std::string where() const;
  [[nodiscard]] SocketOwners::Sockets listening(bool thorough);
  [[nodiscard]] SocketOwners::Sockets search(bool thorough);
  Task<Outcome> ask(Context& ctx);
  Task<Outcome> refuse(Context& ctx, SocketOwners::Sockets sockets);
  Task<bool> is_ours(Context& ctx, SocketOwners::Sockets sockets);
  [[nodiscard]] Error nobody() const;
  bool is_thorough();
  void wait(bool waiting);

  system::SockDiag& diag_;
  SocketOwners& owners_;
  PortWaiters& waiters_;
  std::shared_ptr<ListenMonitor> monitor_;
  Awaited what_;
  system::TreeId tree_;
  SocketOwners::Memory memory_;
  bool waiting_ = false;
  bool was_there_ = false;
  std::string_view elsewhere_;  // why nobody can reach it, when it is known to listen; empty: it is not
  std::uint32_t looks_ = 0;
  Duration work_{0};  // of the last search for who listens
};

// About whom to ask: anybody's socket is no call of the service's, so its notifier would not tell.
[[nodiscard]] ProbeContext whose(const ProbeContext& about, bool anybody);

}  // namespace belfry::probes
