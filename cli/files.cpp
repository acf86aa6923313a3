#include "cli/files.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "config/model/exit_codes.hpp"
#include "daemon/host/real_host.hpp"

namespace belfry::cli {

Expected<std::vector<std::string>> files_of(const Invocation& asked) {
  std::vector<std::string> files = asked.files;
  files.insert(files.end(), asked.names.begin(), asked.names.end());
  if (files.empty()) {
    const auto found = config::find_file();
    if (!found) {
      return std::unexpected(
          Failure{exit_code::no_input,
                  "cannot " + asked.command + ": there is no belfry.yaml here, nor /etc/belfry/belfry.yaml",
                  "belfry " + asked.command + " FILE"});
    }
    files.push_back(*found);
  }
  for (const std::string& file : files) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    std::string message = "cannot read " + file;
    (message += ": ") += std::error_code(errno, std::generic_category()).message();
    return std::unexpected(Failure{exit_code::no_input, std::move(message), ""});
  }
  return files;
}

Expected<config::Loaded> load(const Invocation& asked, config::Host* host) {
  auto files = files_of(asked);
  if (!files) return std::unexpected(files.error());
  config::LoadOptions options;
  options.profiles = asked.profiles;
  options.host = host;
  options.free_ports = daemon::free_ports;
  return config::load(*files, options);
}

}  // namespace belfry::cli
