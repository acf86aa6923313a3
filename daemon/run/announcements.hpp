// What other hosts are told of the services of this one: from their states to what is published.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/cluster/publisher.hpp"
#include "daemon/service/announcer.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

// Owner: the daemon. Lifecycle: as the cluster that it tells. Cancellation: none, it never waits.
class Announcements final : public Announcer {
 public:
  Announcements(cluster::Publisher& publisher, Duration notice) : publisher_(publisher), notice_(notice) {}

  void state_changed(const Service& service);
  // The stack goes down: everything is taken back before anything stops, and nobody is given time twice.
  void withdraw_all(const std::vector<std::unique_ptr<Service>>& services);

  std::shared_ptr<Bell<>> withdraw(const Service& service) override;
  [[nodiscard]] bool is_told_of(const Service& service) const override;
  [[nodiscard]] Duration notice() const override { return notice_; }

 private:
  cluster::Publisher& publisher_;
  Duration notice_;
  bool is_over_ = false;
  std::map<std::string, std::uint64_t, std::less<>> told_;  // of whom others know, and of which run
};

}  // namespace belfry::daemon
