// What belfry may ask for its children that the kernel gives to some only.
#pragma once

#include <cstdint>
#include <span>

namespace belfry::system {

[[nodiscard]] bool may_set_nice(int value);
[[nodiscard]] bool may_set_oom_score(int value);
// Of setrlimit(2): the hard limit.
[[nodiscard]] bool may_set_limit(int resource, std::uint64_t hard);
// Whether belfry itself may run on one of these CPUs. True where the kernel does not say.
[[nodiscard]] bool has_one_of(std::span<const std::uint16_t> cpus);

}  // namespace belfry::system
