// What made a bell ring: which probe, and what it was told.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/model/model.hpp"

namespace belfry::daemon {

// The words are somebody else's, and live as long as whoever holds them.
struct Evidence {
  std::optional<config::Probe::Kind> probe{};  // empty: nothing was asked for, or nobody knows
  std::uint8_t place = 0;                      // of the probe in its set
  std::uint16_t port = 0;                      // where somebody listens; 0: it is not about one
  pid_t pid = 0;                               // who sent the datagram, or called listen(2); 0: nobody knows
  std::string_view words{};  // the line of its log, what the probe was answered; empty: nothing was said
};

}  // namespace belfry::daemon
