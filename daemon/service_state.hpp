// The states of a service. (The state × event table follows in this file.)
#pragma once
#include <cstdint>
#include <string_view>

namespace belfry::daemon {

enum class State : std::uint8_t {
  inactive, waiting, starting, ready, unready, stopping, backoff, completed, failed, blocked
};

std::string_view name_of(State);

}  // namespace belfry::daemon
