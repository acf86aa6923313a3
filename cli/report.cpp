// belfry report: one page of a run, for whoever was not there.
#include "cli/commands.hpp"
#include "cli/run_files.hpp"
#include "config/model/exit_codes.hpp"
#include "report/page.hpp"

namespace belfry::cli {

int write_report(const Invocation& asked) {
  const auto run = find_run(asked);
  if (!run) return client::report(run.error());
  const auto written = write_file(asked.page, report::page(*run));
  return written ? exit_code::ok : client::report(written.error());
}

}  // namespace belfry::cli
