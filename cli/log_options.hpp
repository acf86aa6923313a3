// What `belfry logs` may be told.
#pragma once

#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "client/failure.hpp"

namespace CLI {
class App;
}

namespace belfry::cli {

struct LogOptions {
  bool follow = false;
  bool timestamps = false;
  std::string last;   // as it was written
  std::string since;  // as it was written
  std::string grep;
  std::vector<std::string> streams;  // empty: all
};

void add_log_options(CLI::App& app, LogOptions& options);

// `--since` as the daemon reads it: a duration, or a time of this machine's zone ("09:30", "2026-11-30",
// "2026-11-30 09:30:15") as one of RFC 3339, which may also be written. Failure: 64.
[[nodiscard]] client::Expected<std::string> log_since(const std::string& text);

}  // namespace belfry::cli
