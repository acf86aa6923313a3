#include "cli/past_runs.hpp"

#include "config/document/files.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/paths.hpp"

namespace belfry::cli {

using daemon::HistoryEntry;

std::string history_path(const Invocation& asked, const std::string& stack) {
  return asked.analyze.history.empty() ? daemon::place_of_history(stack) : asked.analyze.history;
}

Expected<std::vector<HistoryEntry>> read_entries(const std::string& path, HistoryEntry::Kind kind) {
  constexpr std::size_t most_history = std::size_t{4} << 20;
  const auto text = config::read_file(path, most_history, config::Accept::files_and_pipes);
  if (!text)
    return std::unexpected(Failure{exit_code::no_input,
                                   "cannot read the history in " + path + ": " + text.error().message,
                                   "`belfry run` writes it; --history names another one"});
  std::vector<HistoryEntry> entries = daemon::read_history(*text).entries;
  std::erase_if(entries, [kind](const HistoryEntry& one) { return one.kind != kind; });
  return entries;
}

}  // namespace belfry::cli
