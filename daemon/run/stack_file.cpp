#include "daemon/run/stack_file.hpp"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "config/load/unsupported.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/real_host.hpp"
#include "system/file_facts.hpp"
#include "system/file_stamp.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

// What is written while they are read is newer.
std::vector<SourceFile> look_at(const std::vector<std::string>& paths) {
  std::vector<SourceFile> files;
  files.reserve(paths.size());
  std::error_code none;
  for (const std::string& path : paths)
    files.push_back({.path = std::filesystem::absolute(path, none).string(),
                     .modified = system::FileStamp::modified(path.c_str())});
  return files;
}

}  // namespace

std::vector<std::string> find_files(const std::vector<std::string>& named) {
  if (!named.empty()) return named;
  const auto found = config::find_file();
  return found ? std::vector<std::string>{*found} : std::vector<std::string>();
}

ReadStack read_stack(const StackFiles& which, std::vector<std::pair<std::string, std::uint16_t>> ports,
                     bool in_colour) {
  ReadStack read;
  for (const std::string& path : which.paths) {
    const int error = system::access_error(path, system::Access::read);
    if (error == 0) continue;
    read.code = exit_code::no_input;
    read.problem = "cannot read " + text::visible(path) + ": " +
                   std::error_code(error, std::system_category()).message();
    return read;
  }
  read.files = look_at(which.paths);
  config::LoadOptions options;
  options.profiles = which.profiles;
  options.services = which.services;
  options.ports = std::move(ports);
  options.free_ports = free_ports;
  RealHost host(false);
  options.host = &host;
  config::Loaded loaded = config::load(which.paths, options);
  config::refuse_unsupported(loaded);
  std::ostringstream findings;
  print(loaded.diagnostics, findings, in_colour);
  const bool is_bad = loaded.diagnostics.has_errors();
  (is_bad ? read.problem : read.remarks) = std::move(findings).str();
  if (is_bad) read.code = exit_code::bad_config;
  read.stack = std::move(loaded.stack);
  loaded = {};
  ::malloc_trim(0);  // the document's tree was many times the size of what is kept of it
  return read;
}

bool have_changed(const std::vector<SourceFile>& files) {
  return std::ranges::any_of(files, [](const SourceFile& file) {
    return system::FileStamp::modified(file.path.c_str()) != file.modified;
  });
}

}  // namespace belfry::daemon
