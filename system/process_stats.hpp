// What the kernel says of this process: the `process_*` metrics that Prometheus' clients agree on.
#pragma once

namespace belfry::system {

struct ProcessStats {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double start_time_seconds = 0;  // since the epoch
};

// Reads /proc and two system calls: some 20 µs. What cannot be read stays 0.
[[nodiscard]] ProcessStats read_process_stats();

}  // namespace belfry::system
