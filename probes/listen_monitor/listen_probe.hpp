// `port: N`, `port: any` and `unix: path`: true when a process of this service listens there. Nobody is
// connected to: the service's notifier shows the socket the moment it listens, or the kernel is asked now and
// then.
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

// It waits until a check was true, and again after one that was not. A check itself waits only while the
// owner of a socket is searched for.
class ListenProbe final : public Probe {
 public:
  ListenProbe(KernelQuestions questions, const ProbeContext& about, Awaited what);
  ~ListenProbe() override;

  Task<CheckResult> check(Context&) override;
  std::optional<Duration> next_look(std::uint32_t looks_since_event) const override;
  std::string method() const override;
  std::string polling() const override;
  bool can_be_lost() const override { return true; }
  Sighting sighting() const override;

 private:
  [[nodiscard]] bool is_attached() const { return monitor_ != nullptr && monitor_->is_attached(); }
  [[nodiscard]] std::string where() const;
  [[nodiscard]] SocketOwners::Sockets listening(bool thorough);
  [[nodiscard]] SocketOwners::Sockets search(bool thorough);
  Task<CheckResult> ask(Context& ctx);
  Task<CheckResult> refuse(Context& ctx, SocketOwners::Sockets sockets);
  Task<bool> is_ours(Context& ctx, SocketOwners::Sockets sockets);
  Task<CheckResult> ask_for_any(Context& ctx);
  Task<std::optional<system::ListeningSocket>> oldest_of_ours(Context& ctx, SocketOwners::Sockets sockets);
  void settle_on(std::uint16_t port);
  [[nodiscard]] Error nobody() const;
  bool is_thorough();
  void wait(bool waiting);

  system::SockDiag& diag_;
  SocketOwners& owners_;
  PortWaiters& waiters_;
  std::shared_ptr<ListenMonitor> monitor_;
  Awaited what_;
  system::TreeId tree_;
  Publisher* publisher_;  // null: nobody wants to know
  SocketOwners::Memory memory_;
  std::uint16_t found_port_ = 0;  // of the last check that was true
  bool waiting_ = false;
  bool was_there_ = false;
  std::string_view elsewhere_;  // why nobody can reach it, when it is known to listen; empty: it is not
  std::uint32_t looks_ = 0;
  Duration work_{0};  // of the last search for who listens
};

// About whom the probe asks. With `anybody`, sockets of other processes count as well, of whose calls the
// notifier of the service does not tell.
[[nodiscard]] ProbeContext whose(const ProbeContext& about, bool anybody);

}  // namespace belfry::probes
