// Why belfry may not see who a process is, in words: a diagnosis that cannot be made says so and guesses
// nothing.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace belfry::system {

// "/proc is not mounted", "/proc hides the processes of other users (hidepid=2)". Empty: every process of
// this PID namespace can be looked at.
[[nodiscard]] std::string why_processes_are_hidden();

// The word for it in `mountinfo` (/proc/self/mountinfo): "hidepid=2"; empty: /proc hides nobody.
[[nodiscard]] std::string_view hiding_option_in(std::string_view mountinfo);

// The first port that anybody may listen on (net.ipv4.ip_unprivileged_port_start); 1024 where it is not said.
[[nodiscard]] int first_unprivileged_port();

// The effective user of a process that can be seen.
[[nodiscard]] std::optional<uid_t> user_of_process(pid_t pid);

// The name that /etc/passwd has for the number, or the number. Never asks NSS, which may wait for a network.
[[nodiscard]] std::string name_of_user(uid_t uid);
// The same of /etc/group.
[[nodiscard]] std::string name_of_group(gid_t gid);

}  // namespace belfry::system
