// The key tables as a JSON Schema and as a page to read.
#pragma once

#include <string>

namespace belfry::config {

// JSON Schema 2020-12 of the file, for editors: `# yaml-language-server: $schema=…` in the first line.
[[nodiscard]] std::string schema_json();

// docs/reference/file.md: every key with type, default, meaning and example.
[[nodiscard]] std::string reference_markdown();

}  // namespace belfry::config
