// What `belfry analyze` may be told.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "channels/time/time.hpp"
#include "client/failure.hpp"

namespace CLI {
class App;
}

namespace belfry::cli {

struct AnalyzeOptions {
  std::string svg{};                   // where the picture goes; "-": standard output
  std::string history{};               // the file to read instead of the stack's own
  std::vector<std::string> faster{};   // "db=1s", as written
  std::vector<std::string> compare{};  // two starts, counted back from the newest, which is 1
  bool stop = false;                   // the last stop, and not the last start
};

void add_analyze_options(CLI::App& app, AnalyzeOptions& options);

struct Faster {
  std::string service;
  Duration by{0};
};
// Failure: 64.
[[nodiscard]] client::Expected<std::vector<Faster>> what_ifs(const AnalyzeOptions& options);
// The two numbers; both 0: nothing is to be compared. Failure: 64.
[[nodiscard]] client::Expected<std::pair<std::size_t, std::size_t>> compared(const AnalyzeOptions& options);

}  // namespace belfry::cli
