// belfry report: one page of a run, for whoever was not there.
#include "cli/commands.hpp"
#include "cli/frozen_page.hpp"
#include "cli/locate.hpp"
#include "cli/run_files.hpp"
#include "config/model/exit_codes.hpp"
#include "report/page.hpp"

namespace belfry::cli {
namespace {

int write_plain(const Invocation& asked) {
  const auto run = find_run(asked);
  if (!run) return client::report(run.error());
  const auto written = write_file(asked.page, report::page(*run));
  return written ? exit_code::ok : client::report(written.error());
}

int write_dashboard(const Invocation& asked) {
  auto client = connect_to_daemon(asked);
  if (!client) return client::report(client.error());
  const auto page = frozen_page(*client);
  if (!page) return client::report(page.error());
  const auto written = write_file(asked.dashboard, *page);
  return written ? exit_code::ok : client::report(written.error());
}

}  // namespace

int write_report(const Invocation& asked) {
  if (!asked.page.empty()) {
    if (const int code = write_plain(asked); code != exit_code::ok) return code;
  }
  return asked.dashboard.empty() ? exit_code::ok : write_dashboard(asked);
}

}  // namespace belfry::cli
