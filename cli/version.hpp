// What `belfry version` says.
#pragma once

#include <string>
#include <string_view>

namespace belfry::cli {

[[nodiscard]] std::string_view version();  // "0.1.0"
[[nodiscard]] std::string version_text();  // one line: static or dynamic, TLS, allocator, compiler
[[nodiscard]] std::string version_json();  // {"version": "0.1.0", "build": "static; …"}

}  // namespace belfry::cli
