// The files of a stack, read for a start and for a reload alike.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/load/load.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// What was said on the command line.
struct StackFiles {
  std::vector<std::string> paths;  // never empty once they were found
  std::vector<std::string> profiles;
  std::vector<std::string> services;
};

struct ReadStack {
  int code = 0;                   // not 0: there is no stack, and `problem` says why
  std::string problem;            // several lines: all mistakes of the files, as `check` prints them
  std::string remarks;            // the same for warnings of a good file
  std::vector<SourceFile> files;  // as they were before they were read
  config::Stack stack;
};

// Empty: there is none.
[[nodiscard]] std::vector<std::string> find_files(const std::vector<std::string>& named);

// It may block on the file system and on NSS, and may be called beside a loop. `ports`: those that are handed
// out already. `in_colour`: for a terminal.
[[nodiscard]] ReadStack read_stack(const StackFiles& which,
                                   std::vector<std::pair<std::string, std::uint16_t>> ports, bool in_colour);

// They have been written since, or have gone.
[[nodiscard]] bool have_changed(const std::vector<SourceFile>& files);

}  // namespace belfry::daemon
