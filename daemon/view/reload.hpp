// What may be asked about the file that a stack was read from, and what became of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/view/command.hpp"

namespace belfry::daemon {

struct ReloadRequest {
  std::string asked_by;  // "user 1000 (process 4711)"
  bool dry_run = false;  // only say what it would change, and whom it would touch
  bool until_up = true;  // done when those that were started are ready, and not as soon as they may start
};

// One key with another value, as it may be shown; empty: it is not there.
struct ReloadedKey {
  std::string key, before, after;
  std::string_view effect;  // "restart", "in place"
};

struct ReloadedService {
  std::string name;
  std::string_view change;  // "added", "removed", "changed"
  std::vector<ReloadedKey> keys;
};

struct ReloadResult {
  CommandOutcome outcome = CommandOutcome::done;
  std::string message;  // in several lines, where a file has several mistakes
  bool dry_run = false;
  std::vector<ReloadedKey> stack;
  std::vector<ReloadedService> services;
  std::vector<std::string> stops, starts;  // who comes back is in both
  std::vector<std::string> rolls;          // replicas that are replaced one after the other
};

class StackReloader {
 public:
  // Reads the files again and makes the stack what they say. When it is refused, nothing was touched.
  virtual Task<ReloadResult> reload(Context& ctx, ReloadRequest request) = 0;

 protected:
  ~StackReloader() = default;
};

}  // namespace belfry::daemon
