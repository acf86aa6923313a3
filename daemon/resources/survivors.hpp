// The processes that an earlier belfry has left running because it was killed and had been told to keep them
// (`on_daemon_death: keep`). They are found and ended before the stack starts anew, so that nothing runs
// twice.
//
// A survivor is known by BELFRY_STACK in its environment, which is the path of the stack's control socket; by
// the record beside that socket, for those that erase their environment; by its session; or by its place
// below one of these. It is no child of this belfry, so only a ProcessHandle tells of its end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "config/model/model.hpp"
#include "daemon/resources/kept_record.hpp"

namespace belfry::daemon {

// In the environment of every process of a stack whose services are kept.
inline constexpr std::string_view stack_variable = "BELFRY_STACK";

struct KeptSurvivor {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string service;  // as it was called then
};

// Those that are there now. Neither this process nor one above it is ever among them: belfry may have been
// started from a shell that is itself a kept service. Reads the whole of /proc.
[[nodiscard]] std::vector<KeptSurvivor> find_survivors(std::string_view stack_id,
                                                       const std::vector<KeptProcess>& recorded);

// Ends them: dependents before what they stand on, each with its own stop signal and time, all within
// `shutdown.timeout`; then SIGKILL. Blocks, so it is called before there is a loop. Returns who was found,
// for a message ("db (4711), api (4712)"; empty: nobody), or who could not be killed.
[[nodiscard]] Result<std::string> end_survivors(const config::Stack& stack, std::string_view stack_id,
                                                const std::vector<KeptProcess>& recorded);

}  // namespace belfry::daemon
