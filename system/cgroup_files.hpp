// The files of one cgroup v2 directory: who is in it, whether anybody is, and their end.
//
// Every function takes the directory's path. A directory that is gone has nobody in it.
// Source: Documentation/admin-guide/cgroup-v2.rst, "Core Interface Files".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::system::cgroup {

// Whether a process that is no zombie is in the cgroup or below it (cgroup.events, `populated`).
[[nodiscard]] bool is_populated(std::string_view directory);

// Everybody in the cgroup and below it, in no order.
[[nodiscard]] std::vector<pid_t> pids_in(std::string_view directory);

// SIGKILL to everybody in it and below, also to those that are being forked now (cgroup.kill, Linux 5.14;
// before that one by one, several times over). False when nobody could be killed.
bool kill_all(std::string_view directory);

// A counter of a file of the form "name value": oom_kill of memory.events, max of pids.events. 0 when there
// is none.
[[nodiscard]] std::uint64_t counter_in(std::string_view directory, std::string_view file,
                                       std::string_view name);

// Writes `text` to the control file. 0 or -errno; -ENOENT when its controller is not enabled here.
int write_control(std::string_view directory, std::string_view file, std::string_view text);

// The names of the cgroups directly below.
[[nodiscard]] std::vector<std::string> names_below(std::string_view directory);

// Removes the directory and whatever empty cgroups are below it. False while somebody is in one of them.
bool remove(std::string_view directory);

}  // namespace belfry::system::cgroup
