// What the history knows of the earlier runs of a stack.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"
#include "history/history.hpp"

namespace belfry::cli {

// Of this stack, unless another file was named.
[[nodiscard]] std::string history_path(const Invocation& asked, const std::string& stack);

// Those of one kind, the oldest first. Failure: 66.
[[nodiscard]] Expected<std::vector<daemon::HistoryEntry>> read_entries(const std::string& path,
                                                                       daemon::HistoryEntry::Kind kind);

}  // namespace belfry::cli
