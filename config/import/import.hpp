// Files of other tools as belfry files: text in, text out, and a list of what has no counterpart. This room
// knows the words of other tools, and how belfry's own are written; it never reads a belfry file.
#pragma once

#include <span>
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

// One of several files that are one source.
struct ImportFile {
  std::string name;  // as a message calls it; of a unit its last part counts, of a drop-in the directory too
  std::string text;
  std::string directory;  // absolute; empty if unknown
};
// Configurations of supervisord: the first with those that it includes.
[[nodiscard]] Imported import_supervisord(std::span<const ImportFile> files);
// Unit files of systemd and of Quadlet: services, their sockets, targets, drop-ins, containers.
[[nodiscard]] Imported import_units(std::span<const ImportFile> files);

}  // namespace belfry::config
