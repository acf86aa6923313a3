// What a failed step of a start means, in words: which file, which directory, which limit, and why.
#pragma once

#include <span>

#include "system/launch.hpp"
#include "system/process.hpp"

namespace belfry::system {

// What was laid out for the kernel; null pointers in it count for nothing.
struct SpawnWords {
  std::span<char* const> candidates;  // the paths that were tried for the command
  std::span<char* const> arguments;
  std::span<char* const> environment;
};

// `failed_limit` is the ChildPlan's. Looks at the file system again: for the message of a start that has
// failed.
[[nodiscard]] SpawnError explain_failure(const Launch& launch, const SpawnWords& words, SpawnStage stage,
                                         int errnum, int failed_limit);

}  // namespace belfry::system
