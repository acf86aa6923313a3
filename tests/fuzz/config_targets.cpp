#include "config_targets.hpp"

#include <cstdlib>
#include <sstream>

#include "config/document/document.hpp"
#include "config/document/interpolate.hpp"
#include "config/document/report.hpp"
#include "config/document/words.hpp"
#include "config/graph/render.hpp"
#include "config/graph/times.hpp"
#include "config/import/import.hpp"
#include "config/load/load.hpp"
#include "config/model/duration.hpp"
#include "config/model/size.hpp"

namespace belfry::fuzz {
namespace {

std::optional<std::string> no_variables(std::string_view name) {
  return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
}

// The importers promise valid YAML of known keys; a value that was wrong in the source may stay wrong.
void expect_readable(const config::Imported& imported) {
  if (imported.yaml.empty()) return;
  config::Document document;
  config::Diagnostics diagnostics;
  diagnostics.sources().emplace_back("imported", imported.yaml);
  if (document.parse(diagnostics, 0) == nullptr) std::abort();
}

}  // namespace

void document(std::string_view bytes) {
  config::Document document({.bytes = 1U << 20U, .nodes = 100'000, .free_growth = 100'000});
  config::Diagnostics diagnostics;
  diagnostics.sources().emplace_back("fuzz", std::string(bytes));
  (void)document.parse(diagnostics, 0);
  diagnostics.finish();
  std::ostringstream out;
  print(diagnostics, out, true);
}

void load(std::string_view bytes) {
  config::LoadOptions options;
  options.environment = no_variables;
  options.free_ports = [](std::size_t count) { return std::vector<std::uint16_t>(count, 4711); };
  const config::Loaded loaded = config::load_text(bytes, "/nowhere/fuzz.yaml", options);
  (void)config::diagnostics_json(loaded.diagnostics);
  (void)config::diagnostics_sarif(loaded.diagnostics, "0");
  std::ostringstream out;
  print(loaded.diagnostics, out);
  if (loaded.diagnostics.has_errors()) return;
  (void)config::graph_text(loaded.stack);
  (void)config::graph_dot(loaded.stack);
  (void)config::graph_mermaid(loaded.stack);
  (void)config::graph_json(loaded.stack);
}

void interpolate(std::string_view bytes) {
  std::vector<config::VariableFault> faults;
  (void)config::interpolate(bytes, no_variables, faults);
  for (const config::VariableFault& fault : faults)
    if (fault.offset + fault.length > bytes.size() + 1) std::abort();
}

void quantities(std::string_view bytes) {
  if (const auto value = config::parse_duration(bytes))
    if (config::parse_duration(config::to_string(*value)) != *value) std::abort();
  (void)config::parse_size(bytes);
  (void)config::parse_times(bytes);
  const config::Words words = config::split_words(bytes);
  if (words.unclosed) return;
  if (config::split_words(config::join_words(words.words)).words != words.words) std::abort();
}

void compose(std::string_view bytes) { expect_readable(config::import_compose(bytes, "fuzz")); }
void process_compose(std::string_view bytes) {
  expect_readable(config::import_process_compose(bytes, "fuzz"));
}
void procfile(std::string_view bytes) { expect_readable(config::import_procfile(bytes, "fuzz")); }

}  // namespace belfry::fuzz
