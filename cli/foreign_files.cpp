#include "cli/foreign_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <unordered_set>

#include "config/document/document.hpp"
#include "config/document/files.hpp"
#include "config/model/exit_codes.hpp"

namespace belfry::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 10'000;
constexpr std::size_t most_bytes = std::size_t{64} << 20U;  // of all of them

bool reads_units(std::string_view kind) { return kind == "systemd" || kind == "quadlet"; }

// What of a directory is read. Containers are described beside the units that they need, and the other way
// round.
bool is_unit_file(const fs::path& path) {
  constexpr auto suffixes =
      std::to_array<std::string_view>({".service", ".socket", ".target", ".timer", ".path", ".container",
                                       ".network", ".volume", ".pod", ".kube", ".image", ".build"});
  return std::ranges::find(suffixes, path.extension().string()) != suffixes.end();
}

// The names in a directory, in their order; empty if it cannot be read.
std::vector<fs::path> listed(const fs::path& directory) {
  std::vector<fs::path> all;
  std::error_code fault;
  for (fs::directory_iterator at(directory, fault), end; !fault && at != end && all.size() < most_files;
       at.increment(fault))
    all.push_back(at->path());
  std::ranges::sort(all);
  return all;
}

void add_drop_ins(const fs::path& unit, std::vector<std::string>& paths) {
  std::error_code ignored;
  const fs::path directory = unit.string() + ".d";
  if (!fs::is_directory(directory, ignored)) return;
  for (const fs::path& file : listed(directory))
    if (file.extension() == ".conf") paths.push_back(file.string());
}

// A unit with what lies beside it.
void add_unit(const fs::path& unit, std::vector<std::string>& paths) {
  std::error_code ignored;
  paths.push_back(unit.string());
  add_drop_ins(unit, paths);
  if (unit.extension() != ".service") return;
  fs::path socket = unit;
  socket.replace_extension(".socket");
  if (!fs::exists(socket, ignored)) return;
  paths.push_back(socket.string());
  add_drop_ins(socket, paths);
}

std::vector<std::string> paths_of(std::string_view kind, const std::vector<std::string>& words) {
  std::vector<std::string> paths;
  for (const std::string& word : words) {
    std::error_code ignored;
    if (!reads_units(kind) || word == "-") {
      paths.push_back(word);
    } else if (fs::is_directory(word, ignored)) {
      for (const fs::path& file : listed(word))
        if (is_unit_file(file)) add_unit(file, paths);
    } else {
      add_unit(word, paths);
    }
  }
  std::unordered_set<std::string> seen;
  std::erase_if(paths, [&](const std::string& path) { return !seen.insert(path).second; });
  return paths;
}

}  // namespace

bool takes_several(std::string_view kind) { return kind == "supervisord" || reads_units(kind); }

Expected<std::vector<config::ImportFile>> read_foreign(std::string_view kind,
                                                       const std::vector<std::string>& words) {
  std::vector<config::ImportFile> files;
  std::size_t bytes = 0;
  const std::vector<std::string> paths = paths_of(kind, words);
  if (paths.empty())
    return std::unexpected(Failure{exit_code::no_input, "cannot find unit files in " + words.front(),
                                   "name *.service, *.target or *.container files"});
  for (const std::string& name : paths) {
    const std::string path = name == "-" ? "/dev/stdin" : name;
    auto text = config::read_file(path, config::DocumentLimits{}.bytes, config::Accept::files_and_pipes);
    if (!text)
      return std::unexpected(
          Failure{exit_code::no_input, "cannot read " + path + ": " + text.error().message, ""});
    bytes += text->size();
    if (bytes > most_bytes || files.size() == most_files)
      return std::unexpected(Failure{exit_code::no_input,
                                     "cannot read " + path + ": the files are more than 64 MiB",
                                     "import them in several parts"});
    std::error_code ignored;
    // Paths of what comes through a pipe count from here, and what it is called nobody knows.
    const bool piped = name == "-";
    const fs::path directory = piped ? fs::current_path(ignored) : fs::absolute(path, ignored).parent_path();
    const std::string called = !piped || !reads_units(kind) ? path
                               : kind == "quadlet"          ? "stdin.container"
                                                            : "stdin.service";
    files.push_back({called, std::move(*text), directory.lexically_normal().string()});
  }
  return files;
}

config::Imported imported_from(std::string_view kind, const std::vector<config::ImportFile>& files) {
  if (kind == "supervisord") return config::import_supervisord(files);
  if (reads_units(kind)) return config::import_units(files);
  const config::ImportFile& one = files.front();
  if (kind == "compose") return config::import_compose(one.text, one.name, one.directory);
  if (kind == "process-compose") return config::import_process_compose(one.text, one.name, one.directory);
  return config::import_procfile(one.text, one.name);
}

}  // namespace belfry::cli
