// Where a process stands in the cgroup v2 tree, from what /proc/self says of it. Pure: text in, a path out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belfry::system::cgroup {

// The directory of the cgroup v2 that `self_cgroup` (/proc/self/cgroup) names, where `mountinfo`
// (/proc/self/mountinfo) says that the tree is mounted: /sys/fs/cgroup, on hybrid hosts
// /sys/fs/cgroup/unified, in a cgroup namespace whatever its root is there. Nothing when there is no v2, it
// is not mounted, or the process stands outside what is mounted. Source: cgroups(7), proc(5).
[[nodiscard]] std::optional<std::string> directory_from(std::string_view self_cgroup,
                                                        std::string_view mountinfo);

// The same of this process, now.
[[nodiscard]] std::optional<std::string> own_directory();

}  // namespace belfry::system::cgroup
