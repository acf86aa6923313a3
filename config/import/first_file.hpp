// A first belfry file from what lies in the directory of a project: `belfry init`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/import/import.hpp"

namespace belfry::config {

// The names of the files that are read, the better source first.
[[nodiscard]] std::span<const std::string_view> project_files();
// The names of files that only need to be there: they say who runs the scripts of package.json.
[[nodiscard]] std::span<const std::string_view> lock_files();

struct FirstFile {
  std::string yaml;
  std::vector<Diagnostics> diagnostics;  // what the importers had to say, one for each file
  std::vector<std::string> found;        // "docker-compose.yml: db, api"
  std::vector<std::string> left;         // "Makefile: target `dev`: …"; what was not understood as well
  std::size_t services = 0;
  bool from_nothing = false;  // nothing was found: the file teaches
};

// `files` are those of project_files() that are there, `locks` those of lock_files().
[[nodiscard]] FirstFile first_file(std::span<const ImportFile> files, std::span<const std::string> locks);

}  // namespace belfry::config
