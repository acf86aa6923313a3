// Whether the stack is to blame when the command of `exec` has failed: a flaky test, or a database that died
// under it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "daemon/journal/journal.hpp"

namespace belfry::daemon {

// What has happened to a service while the command ran that it had no part in.
struct Trouble {
  std::string service;
  std::string_view what;  // "died", "was killed for lack of memory", "lost its port", "became unready"
  std::string cause;
  Duration after{0};  // the command had begun
};

// Plain values, so that everything that is made of them can be tested alone.
struct Verdict {
  std::string command;  // "pytest exited with code 1"; empty: it has not failed
  Duration lasted{0};   // the command
  std::size_t services = 0;
  std::vector<Trouble> troubles;
  std::string unknown;  // why nobody knows whether there were more; empty: that is known
};

// What the journal says from `since` on. What somebody has asked for by command is no trouble.
void look_for_troubles(Verdict& verdict, const Journal& journal, Sequence since, TimePoint begun);

// For people, one fact a line.
[[nodiscard]] std::string text_of(const Verdict& verdict);
// In one line.
[[nodiscard]] std::string summary_of(const Verdict& verdict);
// Workflow commands of GitHub Actions, a line for each trouble; none: nothing.
[[nodiscard]] std::string github_annotations(const Verdict& verdict);
// A report of the kind that GitLab shows as "code quality": the file is where the finding is shown.
[[nodiscard]] std::string code_quality_report(const Verdict& verdict, std::string_view file);
// A JUnit report with the verdict as a property of its first suite. Error: there is none in it.
[[nodiscard]] Result<std::string> with_junit_property(std::string_view report, const Verdict& verdict);

}  // namespace belfry::daemon
