// What other hosts are told of the services of this one: from their states to what is published.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "channels/timer_queue.hpp"
#include "daemon/cluster/publisher.hpp"
#include "daemon/cluster/reservations.hpp"
#include "daemon/service/announcer.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

// Owner: the daemon. Lifecycle: as the cluster that it tells. Cancellation: none, it never waits.
class Announcements final : public Announcer {
 public:
  Announcements(Loop& loop, cluster::Publisher& publisher, cluster::Reservations& reservations,
                std::function<Duration()> notice)
      : loop_(loop),
        publisher_(publisher),
        reservations_(reservations),
        notice_(std::move(notice)),
        again_(loop) {}

  // What keeps those that a service waits for, down to the root of it; empty: nothing does.
  std::function<std::string(const Service&)> causes = [](const Service&) { return std::string(); };
  void state_changed(const Service& service);
  // The stack goes down: everything is taken back before anything stops, and nobody is given time twice.
  void withdraw_all(const std::vector<std::unique_ptr<Service>>& services);

  std::shared_ptr<Bell<>> withdraw(const Service& service) override;
  [[nodiscard]] bool is_told_of(const Service& service) const override;
  Task<Result<void>> reserve(Context& ctx, std::vector<const Service*> going) override;
  [[nodiscard]] Duration notice() const override { return notice_(); }

 private:
  void give_back_what_is_over(const Service& service);
  void tell_why_not(const Service& service);
  void tell_causes_soon();

  Loop& loop_;
  cluster::Publisher& publisher_;
  cluster::Reservations& reservations_;
  std::function<Duration()> notice_;  // a reload may change it
  bool is_over_ = false;
  using Runs = std::map<std::string, std::uint64_t, std::less<>>;
  Runs told_;      // of whom others know, and of which run
  Runs reserved_;  // who may go down, and the run that does
  // Who is not ready, and what was said of it: what lies below it changes without its doing.
  std::map<const Service*, std::string> not_ready_;
  Timer again_;
};

}  // namespace belfry::daemon
