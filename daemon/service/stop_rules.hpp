// When a run that is to stop is killed, when it is killed again, and when nobody waits for it any more. Pure.
//
// The problem: a process may ignore every signal, sleep uninterruptibly (on a dead disk, on a file system
// that does not answer), or belong to somebody whom belfry may not signal. Waiting for it would keep
// everything below it from stopping; not waiting would start its successor beside it.
#pragma once

#include <string>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/service/record.hpp"
#include "system/process.hpp"

namespace belfry::daemon {

// From SIGKILL to the last look at who is still there. Nobody who can be killed takes as long, and it must
// fit between the end of shutdown.timeout (25 s) and what Kubernetes gives (30 s).
inline constexpr Duration sigkill_takes = std::chrono::seconds(2);
// As long as that when there is time, for a crowd on a busy machine, or one that goes on forking.
inline constexpr Duration killing_takes = std::chrono::seconds(10);

// The earlier of the service's own time, moved by belfry's pauses and by what the service asked for, and its
// share of the stack's.
[[nodiscard]] TimePoint kill_deadline(const Record& record, const config::Service& service,
                                      const Moment& now);
// Which of these limits it was, and what it had to stop for.
[[nodiscard]] std::string why_killed(const Record& record, const config::Service& service);
// After a SIGKILL that has not ended it: at the end of each time that is waited for, which are what SIGKILL
// takes and the budget of a shutdown.
[[nodiscard]] TimePoint kill_again_at(const Run& run, TimePoint killed_at, TimePoint now);
// All that is left cannot be killed, or belfry may not signal it, or the budget is over.
[[nodiscard]] bool is_beyond_killing(const Run& run, const std::vector<system::Survivor>& left,
                                     TimePoint killed_at, TimePoint now);
// The kernel does not let belfry signal it.
[[nodiscard]] inline bool is_out_of_reach(const system::Survivor& process) { return process.refused != 0; }
// Who that is, and where to look.
[[nodiscard]] std::string text_of_stuck(const std::vector<system::Survivor>& left);

}  // namespace belfry::daemon
