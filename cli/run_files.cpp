#include "cli/run_files.hpp"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

#include "cli/files.hpp"
#include "cli/locate.hpp"
#include "cli/past_runs.hpp"
#include "config/model/exit_codes.hpp"
#include "report/page.hpp"
#include "report/trace.hpp"

namespace belfry::cli {
namespace {

using daemon::HistoryEntry;
using Kind = HistoryEntry::Kind;

// A stop that came before the last start is of another run.
Expected<report::Run> last_run(const Invocation& asked) {
  const auto loaded = load(asked);
  if (!loaded) return std::unexpected(loaded.error());
  const std::string path = history_path(asked, loaded->stack.name);
  const auto starts = read_entries(path, Kind::start);
  if (!starts) return std::unexpected(starts.error());
  const auto stops = read_entries(path, Kind::stop);
  if (!stops) return std::unexpected(stops.error());
  const HistoryEntry* const start = starts->empty() ? nullptr : &starts->back();
  const HistoryEntry* stop = stops->empty() ? nullptr : &stops->back();
  if (start != nullptr && stop != nullptr && stop->at < start->at) stop = nullptr;
  if (start == nullptr && stop == nullptr)
    return std::unexpected(Failure{exit_code::unavailable,
                                   "cannot report: there is no run in the history in " + path,
                                   "belfry run writes it"});
  return run_of_history(loaded->stack, start, stop);
}

Expected<report::Run> running(Client& client) {
  const RunSource source{
      .get = [&client](const std::string& target) { return client.request("GET", target); },
      .follow = [&client](const std::string& target,
                          const RunSource::Take& take) { return client.follow(target, {}, take); }};
  RunRecord record;
  auto taken = record.take_state(source);
  if (taken) taken = record.take_story(source);
  if (!taken) return std::unexpected(taken.error());
  return std::move(record.run());
}

}  // namespace

Expected<report::Run> find_run(const Invocation& asked) {
  if (!asked.analyze.history.empty()) return last_run(asked);
  auto client = connect_to_daemon(asked);
  if (client) return running(*client);
  if (client.error().exit_code != exit_code::unavailable || !asked.socket.empty())
    return std::unexpected(client.error());
  auto run = last_run(asked);
  if (!run) return std::unexpected(client.error());
  return run;
}

Expected<void> write_file(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::cout << text;
    return {};
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return {};
  return std::unexpected(
      Failure{exit_code::os_error,
              "cannot write " + path + ": " + std::error_code(errno, std::generic_category()).message(), ""});
}

void RunFiles::remember(Expected<void> taken) {
  if (!taken && !failure_) failure_ = std::move(taken.error());
}

void RunFiles::look_at_the_ending(const RunSource& source) { remember(record_.take_state(source)); }

void RunFiles::look_at_the_end(const RunSource& source, const std::string& reason, const std::string& blame) {
  remember(record_.take_story(source));
  reason_ = reason;
  blame_ = blame;
  has_ended_ = true;
}

void RunFiles::write(int code) {
  if (failure_) client::report(*failure_);
  if (!has_ended_) return;
  record_.ended(code, reason_, blame_);
  const report::Run& run = record_.run();
  if (!page_.empty()) {
    if (const auto written = write_file(page_, report::page(run)); !written) client::report(written.error());
  }
  if (!trace_.empty()) {
    if (const auto written = write_file(trace_, report::otlp_json(run)); !written)
      client::report(written.error());
  }
}

}  // namespace belfry::cli
