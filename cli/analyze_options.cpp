#include "cli/analyze_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/option_values.hpp"
#include "config/model/duration.hpp"

namespace belfry::cli {
namespace {

client::Expected<std::size_t> number_of_start(const std::string& word) {
  std::size_t number = 0;
  const char* const end = word.data() + word.size();
  const auto [read, error] = std::from_chars(word.data(), end, number);
  if (error == std::errc() && read == end && number > 0) return number;
  return misunderstood("--compare " + word, "a start is named by its number, counted back from the newest",
                       "write it like --compare 2 1");
}

}  // namespace

void add_analyze_options(CLI::App& app, AnalyzeOptions& options) {
  app.add_flag("--stop", options.stop);
  app.add_option("--svg", options.svg);
  app.add_option("--history", options.history);
  app.add_option("--faster", options.faster)->allow_extra_args(false);
  app.add_option("--compare", options.compare)->expected(2);
}

client::Expected<std::vector<Faster>> what_ifs(const AnalyzeOptions& options) {
  std::vector<Faster> all;
  for (const std::string& word : options.faster) {
    const std::size_t equals = word.rfind('=');
    const auto by = equals == std::string::npos ? std::unexpected(config::Malformed{})
                                                : config::parse_duration(word.substr(equals + 1));
    if (!by || equals == 0)
      return misunderstood("--faster " + word, "it is no service and duration",
                           "write it like --faster db=1s");
    all.push_back({word.substr(0, equals), *by});
  }
  return all;
}

client::Expected<std::pair<std::size_t, std::size_t>> compared(const AnalyzeOptions& options) {
  std::pair<std::size_t, std::size_t> both{0, 0};
  if (options.compare.empty()) return both;
  auto first = number_of_start(options.compare[0]);
  if (!first) return std::unexpected(first.error());
  auto second = number_of_start(options.compare[1]);
  if (!second) return std::unexpected(second.error());
  return std::pair(*first, *second);
}

}  // namespace belfry::cli
