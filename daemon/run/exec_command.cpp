#include "daemon/run/exec_command.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "config/document/diagnostic.hpp"
#include "config/model/exit_codes.hpp"
#include "system/file_facts.hpp"
#include "system/find_program.hpp"

namespace belfry::daemon {
namespace {

constexpr const char* usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string next_step(const std::string& name, int errnum) {
  if (!name.contains('/') && system::access_error("./" + name, system::Access::execute) == 0)
    return "there is one here: write ./" + name;
  if (errnum != ENOENT) return "correct it, or its permissions";
  return "correct it; what the stack itself makes is run by a shell: -- sh -c '" + name + "'";
}

}  // namespace

std::optional<int> refuse_command(const std::vector<std::string>& command) {
  const char* path = std::getenv("PATH");
  const auto found = system::find_program(command.front(), path == nullptr ? usual_path : path);
  if (found) return std::nullopt;
  const std::string text = "cannot run " + command.front() + ": " + found.error().reason +
                           "; nothing was started (" + next_step(command.front(), found.error().errnum) + ")";
  std::fprintf(stderr, "belfry: %s\n", config::printable(text).c_str());
  return found.error().errnum == ENOENT ? exit_code::not_found : exit_code::not_executable;
}

}  // namespace belfry::daemon
