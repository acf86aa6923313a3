#include "config_targets.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "config/document/document.hpp"
#include "config/document/interpolate.hpp"
#include "config/document/report.hpp"
#include "config/document/words.hpp"
#include "config/graph/render.hpp"
#include "config/graph/times.hpp"
#include "config/import/first_file.hpp"
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

// These promise more: a belfry file without errors but of what is not on this machine.
void expect_sound(const config::Imported& imported) {
  if (imported.yaml.empty()) return;
  config::LoadOptions options;
  options.environment = no_variables;
  const config::Loaded loaded = config::load_text(imported.yaml, "/nowhere/imported.yaml", options);
  for (const config::Diagnostic& one : loaded.diagnostics)
    if (one.severity == config::Severity::error && one.rule != "cannot-read") {
      std::ostringstream out;
      print(loaded.diagnostics, out);
      std::fputs((out.str() + imported.yaml).c_str(), stderr);
      std::abort();
    }
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
void supervisord(std::string_view bytes) {
  const config::ImportFile file{"fuzz.conf", std::string(bytes), "/nowhere"};
  expect_sound(config::import_supervisord(std::span(&file, 1)));
}

// The bytes as every kind of file at once, and cut at lines of `---` into several units.
void units(std::string_view bytes) {
  std::vector<config::ImportFile> files;
  for (const std::string_view name :
       {"a.service", "b.container", "c@.service", "a.socket", "d.target", "a.service.d/x.conf"})
    files.push_back({std::string(name), std::string(bytes), "/nowhere"});
  expect_sound(config::import_units(files));
  files.clear();
  for (int i = 0; !bytes.empty() && i < 16; ++i) {
    const auto end = std::min(bytes.find("---\n"), bytes.size());
    files.push_back({std::string(1, static_cast<char>('a' + i)) + (i % 3 == 2 ? ".container" : ".service"),
                     std::string(bytes.substr(0, end)), "/nowhere"});
    bytes.remove_prefix(std::min(end + 4, bytes.size()));
  }
  if (!files.empty()) expect_sound(config::import_units(files));
}

void project(std::string_view bytes) {
  const std::vector<std::string> no_locks;
  for (const std::string_view name : {"package.json", "justfile", "Makefile"}) {
    const config::ImportFile file{std::string(name), std::string(bytes), "/nowhere"};
    const config::FirstFile first = config::first_file(std::span(&file, 1), no_locks);
    config::LoadOptions options;
    options.environment = no_variables;
    if (config::load_text(first.yaml, "/nowhere/first.yaml", options).diagnostics.has_errors()) std::abort();
  }
}

}  // namespace belfry::fuzz
