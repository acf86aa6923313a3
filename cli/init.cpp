// belfry init: a first file, from what lies in the directory of a project.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "config/decode/schema.hpp"
#include "config/document/document.hpp"
#include "config/document/files.hpp"
#include "config/import/first_file.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {
namespace {

namespace fs = std::filesystem;

// Only the first of two names that are one file, as on a file system that knows no case.
Expected<std::vector<config::ImportFile>> read_project(const fs::path& directory) {
  std::vector<config::ImportFile> files;
  std::error_code ignored;
  for (const std::string_view name : config::project_files()) {
    const fs::path path = directory / name;
    if (!fs::is_regular_file(path, ignored)) continue;
    const bool known = std::ranges::any_of(files, [&](const config::ImportFile& other) {
      return fs::equivalent(path, directory / other.name, ignored);
    });
    if (known) continue;
    auto text = config::read_file(path.string(), config::DocumentLimits{}.bytes);
    if (!text)
      return std::unexpected(
          Failure{exit_code::no_input, "cannot read " + path.string() + ": " + text.error().message, ""});
    files.push_back(
        {std::string(name), std::move(*text), fs::absolute(directory, ignored).lexically_normal().string()});
  }
  return files;
}

std::vector<std::string> present_locks(const fs::path& directory) {
  std::vector<std::string> present;
  std::error_code ignored;
  for (const std::string_view name : config::lock_files())
    if (fs::exists(directory / name, ignored)) present.emplace_back(name);
  return present;
}

Failure is_there(const std::string& path) {
  return {exit_code::os_error, "cannot write " + path + ": it is there already",
          "--force replaces it, --output - shows what would be written"};
}

// Where the file goes: `-` is standard output. A belfry.yml is the same file by another name.
Expected<std::string> target_of(const Invocation& asked, const fs::path& directory) {
  std::string path =
      asked.output.empty() ? (directory / "belfry.yaml").lexically_normal().string() : asked.output;
  if (path == "-" || asked.force) return path;
  std::error_code ignored;
  const fs::path other = (directory / "belfry.yml").lexically_normal();
  if (asked.output.empty() && fs::exists(other, ignored)) return std::unexpected(is_there(other.string()));
  if (fs::exists(fs::symlink_status(path, ignored))) return std::unexpected(is_there(path));
  return path;
}

Expected<void> write(const Invocation& asked, const std::string& path, const std::string& text) {
  if (path == "-") {
    std::cout << text;
    return {};
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary | (asked.force ? std::ios::trunc : std::ios::noreplace));
  file << text;
  file.close();
  if (file) return {};
  if (errno == EEXIST) return std::unexpected(is_there(path));
  return std::unexpected(
      Failure{exit_code::os_error,
              "cannot write " + path + ": " + std::error_code(errno, std::generic_category()).message(), ""});
}

void tell(const config::FirstFile& file, const fs::path& directory) {
  for (const config::Diagnostics& one : file.diagnostics)
    config::print(one, std::cerr, terminal_at(STDERR_FILENO).colour);
  if (file.from_nothing)
    std::cerr << "found nothing that says what runs in " << config::printable(directory.string())
              << ": this is a small file to begin with\n";
  for (const std::string& one : file.found) std::cerr << "found " << one << "\n";
  for (const std::string& one : file.left) std::cerr << "left " << one << "\n";
}

}  // namespace

int init(const Invocation& asked) {
  const fs::path directory = asked.names.empty() ? fs::path(".") : fs::path(asked.names.front());
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored))
    return report(
        {exit_code::no_input, "cannot look into " + directory.string() + ": it is no directory", ""});
  const auto path = target_of(asked, directory);
  if (!path) return report(path.error());
  const auto files = read_project(directory);
  if (!files) return report(files.error());
  const config::FirstFile file = config::first_file(*files, present_locks(directory));
  tell(file, directory);
  const auto written = write(asked, *path, std::string(config::schema_modeline) + file.yaml);
  if (!written) return report(written.error());
  if (*path == "-") return exit_code::ok;
  const std::string count = std::to_string(file.services) + (file.services == 1 ? " service" : " services");
  std::cerr << "wrote " << config::printable(*path) << ": " << count << "\n"
            << "next: belfry check " << config::printable(*path) << "; belfry graph "
            << config::printable(*path) << " shows who waits for whom\n";
  return exit_code::ok;
}

}  // namespace belfry::cli
