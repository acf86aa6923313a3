// Importing small texts in tests, and looking at what became of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/document/document.hpp"
#include "config/import/import.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config::testing_support {

// What a belfry file says that an importer wrote: no variables, no directory.
inline Loaded loaded_from(const std::string& yaml) {
  LoadOptions options;
  options.free_ports = fake_free_ports;
  options.environment = [](std::string_view) { return std::nullopt; };
  return load_text(yaml, "/nowhere/imported.yaml", options);
}

// Its errors, but for files of the source that are not here.
inline std::string errors_of(const Loaded& loaded) {
  std::ostringstream out;
  for (const Diagnostic& one : loaded.diagnostics)
    if (one.severity == Severity::error && one.rule != "cannot-read")
      print(one, loaded.diagnostics.sources(), out);
  return out.str();
}

// The stack of an import that must have no errors.
inline Stack imported(const Imported& import) {
  if (import.diagnostics.has_errors()) throw std::runtime_error(text_of(import.diagnostics));
  Loaded result = loaded_from(import.yaml);
  if (const std::string errors = errors_of(result); !errors.empty())
    throw std::runtime_error(errors + import.yaml);
  return std::move(result.stack);
}

// How often `needle` is in what was said of the import.
inline bool says(const Imported& import, std::string_view needle) {
  return text_of(import.diagnostics).contains(needle);
}

}  // namespace belfry::config::testing_support
