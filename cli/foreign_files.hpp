// The files of other tools that `import` and `init` read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"
#include "config/import/import.hpp"

namespace belfry::cli {

// The files that those words of a command line mean; `-` is standard input. Of systemd and quadlet a word may
// be a directory, and what lies beside a unit belongs to it: its drop-ins, its socket. Failure: 66.
[[nodiscard]] Expected<std::vector<config::ImportFile>> read_foreign(std::string_view kind,
                                                                     const std::vector<std::string>& words);
// What `kind` makes of them.
[[nodiscard]] config::Imported imported_from(std::string_view kind,
                                             const std::vector<config::ImportFile>& files);
// Whether `kind` may be made of several files.
[[nodiscard]] bool takes_several(std::string_view kind);

}  // namespace belfry::cli
