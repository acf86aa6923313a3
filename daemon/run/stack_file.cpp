#include "daemon/run/stack_file.hpp"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "config/load/unsupported.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/real_host.hpp"
#include "system/file_facts.hpp"
#include "system/file_stamp.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

// The files that are read, each as it is before: what is written meanwhile is newer.
class FilesRead {
 public:
  explicit FilesRead(std::vector<SourceFile>& files) : files_(files) {}
  void note(const std::string& path) {
    std::error_code none;
    std::string absolute = std::filesystem::absolute(path, none).lexically_normal().string();
    if (!known_.insert(absolute).second) return;
    const std::int64_t changed = system::FileStamp::changed_at(path.c_str());
    files_.push_back({.path = std::move(absolute), .modified = changed});
  }

 private:
  std::vector<SourceFile>& files_;
  std::unordered_set<std::string> known_;
};

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
  config::LoadOptions options;
  FilesRead files(read.files);
  options.about_to_read = [&files](const std::string& path) { files.note(path); };
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
    return system::FileStamp::changed_at(file.path.c_str()) != file.modified;
  });
}

}  // namespace belfry::daemon
