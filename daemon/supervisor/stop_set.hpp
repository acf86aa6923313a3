// Whom a command that stops some services must stop as well (Rules: commands, stop order, gates).
#pragma once

#include <cstddef>
#include <vector>

namespace belfry::daemon {

class Service;

// `roots`, then whoever runs on top of those that run and cannot do without, dependencies first. Who depends
// on a gate stays where enough of its members do; gates and externals are looked through, be they down at the
// moment, and are in the list when they run and lose their level. `services`: how many there are in all.
[[nodiscard]] std::vector<Service*> who_must_stop(const std::vector<Service*>& roots, std::size_t services);

}  // namespace belfry::daemon
