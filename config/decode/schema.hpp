// The key tables as a JSON Schema and as a page to read.
#pragma once

#include <string>
#include <string_view>

namespace belfry::config {

// JSON Schema 2020-12 of the file, for editors.
[[nodiscard]] std::string schema_json();

// The first line of a file, which tells an editor where that schema lies: beside it, where
// `belfry check --schema > belfry.schema.json` has put it.
inline constexpr std::string_view schema_modeline = "# yaml-language-server: $schema=./belfry.schema.json\n";

// docs/reference/file.md: every key with type, default, meaning and example.
[[nodiscard]] std::string reference_markdown();

}  // namespace belfry::config
