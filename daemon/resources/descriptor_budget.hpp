// How many descriptors may be held for services that only wait, so that they do not starve running ones.
#pragma once

#include <cstddef>

#include "channels/error.hpp"

namespace belfry::daemon {

// Owner: the native resources.
class DescriptorBudget {
 public:
  // `limit`: RLIMIT_NOFILE. A quarter of it may be held ahead; none where the stack needs more than all.
  void set(std::size_t limit, bool is_short) { most_ = is_short ? 0 : limit / 4; }
  // Error kind `refused`: this preparation has to wait for its turn.
  [[nodiscard]] Result<void> check() const {
    if (held_ < most_) return {};
    return std::unexpected(Error(Error::Kind::refused,
                                 "cannot prepare ahead: too many descriptors are held for waiting services"));
  }
  void hold(std::size_t more) { held_ += more; }
  void give_back(std::size_t fewer) { held_ -= fewer; }

 private:
  std::size_t held_ = 0;
  std::size_t most_ = 0;
};

}  // namespace belfry::daemon
