// Who stops and who starts when a changed file is taken over. Pure, but for the states that it reads.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

struct Supervisor::Stops {
  std::vector<Service*> for_good;  // in the file no more, or disabled there
  std::vector<Service*> all;       // who has to stop, each after whom it depends on
  // By the numbers of services: those that run and cannot go on as they are, the first list, the second.
  std::vector<bool> is_root, is_for_good, is_stopped;
};

[[nodiscard]] std::vector<const config::Service*> services_of(const config::Stack& stack);

// The services of a file that it wants to run, by their places in it: those that are enabled, or those of
// `names`, those that were started by command, and whatever they require. Edges go by names.
[[nodiscard]] std::vector<bool> wanted_in(const std::vector<const config::Service*>& services,
                                          const std::vector<std::string>& names,
                                          const std::unordered_set<std::string_view>& started);

}  // namespace belfry::daemon
