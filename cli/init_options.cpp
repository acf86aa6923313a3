#include "cli/init_options.hpp"

#include <CLI/CLI.hpp>

#include "cli/option_values.hpp"
#include "config/model/kernel_names.hpp"

namespace belfry::cli {
namespace {

using client::Expected;

Expected<void> read_rewrite(const std::string& rule, std::map<int, int>& rewrites) {
  const auto colon = std::min(rule.find(':'), rule.size());
  const std::string target = rule.substr(std::min(colon + 1, rule.size()));
  const auto from = config::signal_number(rule.substr(0, colon));
  const auto to = target == "0" ? std::optional(0) : config::signal_number(target);
  if (!from || !to)
    return misunderstood("--rewrite " + rule, "it is not SIGNAL:SIGNAL",
                         "write it like SIGTERM:SIGQUIT or SIGHUP:0");
  rewrites[*from] = *to;
  return {};
}

Expected<void> read_signal(const std::string& option, const std::string& name, int& out) {
  if (name.empty()) return {};
  const auto number = config::signal_number(name);
  if (!number) return misunderstood(option + " " + name, "there is no such signal", "write it like SIGTERM");
  out = *number;
  return {};
}

}  // namespace

void add_init_options(CLI::App& app, InitWords& words) {
  app.add_flag("--single-child", words.single_child);
  app.add_option("--rewrite", words.rewrites)->allow_extra_args(false);
  app.add_option("--remap-exit", words.remapped_exits)->allow_extra_args(false)->check(CLI::Range(0, 255));
  app.add_option("--parent-death-signal", words.parent_death_signal);
  app.add_option("--kill-after", words.kill_after);
}

Expected<InitTerms> init_terms(const InitWords& words) {
  InitTerms terms;
  terms.single_child = words.single_child;
  terms.remapped_exits = words.remapped_exits;
  Expected<void> read =
      read_signal("--parent-death-signal", words.parent_death_signal, terms.parent_death_signal);
  if (read) read = read_duration("--kill-after", words.kill_after, terms.kill_after);
  for (const std::string& rule : words.rewrites) {
    if (read) read = read_rewrite(rule, terms.rewrites);
  }
  if (!read) return std::unexpected(read.error());
  return terms;
}

}  // namespace belfry::cli
