#include "cli/program.hpp"

#include <cerrno>

#include "config/model/exit_codes.hpp"
#include "system/become.hpp"

namespace belfry::cli {

client::Failure cannot_run(const std::string& program, int errnum) {
  return {errnum == ENOENT ? exit_code::not_found : exit_code::not_executable,
          "cannot run " + program + ": " + system::why_not_run(program, errnum), ""};
}

}  // namespace belfry::cli
