// Files of other tools as belfry files: text in, text out, and a list of what has no counterpart. This room
// knows the words of compose, process-compose and Procfile, and how belfry's own are written; it never reads
// a belfry file.
#pragma once

#include <string>
#include <string_view>

#include "config/document/diagnostic.hpp"

namespace belfry::config {

struct Imported {
  std::string yaml;         // a belfry file, with comments where a person must decide
  Diagnostics diagnostics;  // warnings of the rule `not-carried`: what has no counterpart, by line;
                            // errors if the source cannot be read, and `yaml` is empty then
};

// A compose file: everything of it that describes processes. Images, networks and volumes are listed.
// `directory` is the file's own, absolute, for paths that belfry counts from elsewhere; empty if unknown.
[[nodiscard]] Imported import_compose(std::string_view text, std::string file_name,
                                      std::string directory = {});
// A process-compose file.
[[nodiscard]] Imported import_process_compose(std::string_view text, std::string file_name,
                                              std::string directory = {});
// A Procfile: `name: command` lines, as Heroku and foreman read them.
[[nodiscard]] Imported import_procfile(std::string_view text, std::string file_name);

}  // namespace belfry::config
