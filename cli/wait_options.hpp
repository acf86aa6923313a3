// What `belfry wait` may be told besides whom it waits for.
#pragma once

#include <string>
#include <vector>

#include "client/failure.hpp"
#include "waiter/attempts.hpp"
#include "waiter/target.hpp"

namespace CLI {
class App;
}

namespace belfry::cli {

// As it was written; empty: it was not.
struct WaitOptions {
  bool any = false, negated = false, quiet = false, insecure = false;
  std::string interval, attempt_timeout;
  std::string method, status, body, json;  // of http, https
  std::vector<std::string> headers;
  std::string ca, cert, key;  // of TLS
  std::string query;          // of postgres, mysql
};

void add_wait_options(CLI::App& app, WaitOptions& options);

// What is meant by them. Failure: 64. Paths are seen from `directory`.
[[nodiscard]] client::Expected<waiter::ProbeOptions> probe_options(const WaitOptions& asked,
                                                                   const std::string& directory);
[[nodiscard]] client::Expected<waiter::AttemptTerms> attempt_terms(const WaitOptions& asked);

}  // namespace belfry::cli
