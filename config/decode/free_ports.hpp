// TCP ports of loopback that nobody uses at the moment.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace belfry::config {

// Owner: whoever needs several distinct ports.
// Lifecycle: each port stays bound until the destructor, so that no two calls return the same one;
// afterwards it is free again and another process could take it: the kernel hands such ports out in
// random order, so that this is rare.
// Cancellation: none, nothing waits.
class FreePorts {
 public:
  FreePorts() = default;
  FreePorts(const FreePorts&) = delete;
  FreePorts& operator=(const FreePorts&) = delete;
  ~FreePorts();
  [[nodiscard]] std::optional<std::uint16_t> take();

 private:
  std::vector<int> sockets_;
};

}  // namespace belfry::config
