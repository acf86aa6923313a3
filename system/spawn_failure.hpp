// What a failed step of a start means, in words: which file, which directory, which limit, and why.
#pragma once

#include <span>

#include "system/launch.hpp"
#include "system/process.hpp"

namespace belfry::system {

// `candidates` are the paths that were tried for the command, `failed_limit` is the ChildPlan's. Looks at the
// file system again: for the message of a start that has failed.
[[nodiscard]] SpawnError explain_failure(const Launch& launch, std::span<char* const> candidates,
                                         SpawnStage stage, int errnum, int failed_limit);

}  // namespace belfry::system
