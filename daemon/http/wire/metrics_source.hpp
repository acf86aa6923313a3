// What the server counts of itself, and who writes /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace belfry::daemon {

struct HttpStats {
  std::vector<std::pair<int, std::uint64_t>> requests_by_status;  // a handful: found by looking at each
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // closed at once: no descriptor was left
  std::uint64_t connections_shed = 0;     // given up for somebody else
  std::uint64_t connections_open = 0;
  void count(int status) {
    for (auto& [known, requests] : requests_by_status) {
      if (known == status) return static_cast<void>(++requests);
    }
    requests_by_status.emplace_back(status, 1);
  }
};

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // Appends the exposition in Prometheus' text format 0.0.4.
  virtual void write(std::string& out, const HttpStats& http) = 0;
};

}  // namespace belfry::daemon
