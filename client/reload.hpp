// The answer of /v1/reload as the command line reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::client {

struct ReloadKey {
  std::string key, before, after;  // empty: it is not there
  std::string effect;              // "restart", "in place"
};

struct ReloadService {
  std::string name, change;
  std::vector<ReloadKey> keys;
};

struct ReloadReply {
  std::string message;
  bool dry_run = false;
  std::vector<ReloadKey> stack;
  std::vector<ReloadService> services;
  std::vector<std::string> stops, starts, rolls;
};

// Nothing when it is not that.
[[nodiscard]] std::optional<ReloadReply> read_reload(std::string_view body);

}  // namespace belfry::client
