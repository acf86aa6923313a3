// The rules of docs/reference once more, written from what users are told and not from the daemon: what the
// simulation judges by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/service/description.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "tests/support/fake_processes.hpp"

namespace belfry::simulation {

// Looks, never touches. Each `check_…` returns what is wrong, in words, or nothing.
class Oracle {
 public:
  Oracle(daemon::Supervisor& supervisor, const testing::FakeProcesses& processes,
         std::uint32_t parallel_starts)
      : supervisor_(supervisor), processes_(processes), limit_(parallel_starts) {}

  // A service starts in this very turn.
  [[nodiscard]] std::optional<std::string> check_start(const daemon::Service& service) const;
  // Its main process is asked to stop.
  [[nodiscard]] std::optional<std::string> check_stop(const daemon::Service& service, bool going_down) const;
  // It stops because of a loss: there is one.
  [[nodiscard]] std::optional<std::string> check_loss(const daemon::Service& service) const;
  // A command that stops has said whom it asks: every running dependent is, unless it can do without.
  void remember_requests();
  [[nodiscard]] std::optional<std::string> check_requests() const;
  // Nothing moves until the next timer: every state must have a reason.
  [[nodiscard]] std::optional<std::string> check_idle() const;
  // While the stack is not going down: the end of `main`, or of something essential, is heard of.
  [[nodiscard]] std::optional<std::string> check_ending() const;
  // Losses that should have been acted upon; remembers since when an edge is lost.
  [[nodiscard]] std::optional<std::string> check_losses(TimePoint now);
  // A level that comes back, be it for a moment, ends a loss. `starts`: its process is about to come to be.
  void look_at_regained(const daemon::Service& service, bool starts = false);
  // The file has been exchanged: what was known of edges is known of none of the new ones.
  void forget_edges() { lost_since_.clear(); }
  // Everybody has behaved for long enough: what is wanted is up, or says why not.
  [[nodiscard]] std::optional<std::string> check_up() const;

 private:
  [[nodiscard]] bool level(const daemon::Service& service, config::Condition condition,
                           std::string_view bell = {}) const;
  void look_through(const daemon::Service& gate);
  [[nodiscard]] long slots_left() const;
  [[nodiscard]] bool holds(const daemon::Edge& edge) const;
  [[nodiscard]] bool lets_start(const daemon::Edge& edge) const;
  [[nodiscard]] bool can_start(const daemon::Service& service) const;
  [[nodiscard]] std::size_t members(const daemon::Service& gate, config::Condition condition) const;
  [[nodiscard]] bool stands_on_dead(const daemon::Service& on) const;
  [[nodiscard]] bool stands(const daemon::Edge& edge) const;
  [[nodiscard]] bool is_taken_by(const daemon::Edge& edge, const daemon::Service& asked) const;
  static bool is_done(const daemon::Edge& edge);
  static bool needs_no_more(const daemon::Service& dependent, const daemon::Service& on);
  [[nodiscard]] std::vector<const daemon::Service*> on_top_of(const daemon::Service& service,
                                                              bool through_all) const;
  [[nodiscard]] std::optional<std::string> check_idle(const daemon::Service& service) const;
  [[nodiscard]] std::optional<std::string> check_bells(const daemon::Service& service) const;

  daemon::Supervisor& supervisor_;
  const testing::FakeProcesses& processes_;
  std::uint32_t limit_;
  std::map<const daemon::Edge*, TimePoint> lost_since_;
  std::uint64_t last_request_ = 0;
};

}  // namespace belfry::simulation
