// A history of starts, whatever became of the file.
#include <cstdlib>

#include "config_targets.hpp"
#include "history/history.hpp"

namespace belfry::fuzz {

void history(std::string_view bytes) {
  const daemon::History read = daemon::read_history(bytes);
  std::string written;
  for (const daemon::HistoryEntry& entry : read.entries) {
    if (entry.services.size() > daemon::most_services_in_history) std::abort();
    written += daemon::history_line(entry);
  }
  // What was believed once is believed again.
  const daemon::History again = daemon::read_history(written);
  if (again.damaged != 0 || again.entries != read.entries) std::abort();
}

}  // namespace belfry::fuzz
