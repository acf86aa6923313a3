// A run as pages and traces are made of it (report/run.hpp), asked from its daemon: over the control socket,
// or from within when its end has come.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "client/failure.hpp"
#include "client/reply.hpp"
#include "client/timeline.hpp"
#include "history/history.hpp"
#include "report/run.hpp"

namespace belfry::config {
struct Stack;
}

namespace belfry::cli {

// Who answers.
struct RunSource {
  using Take = std::function<bool(std::string_view)>;
  std::function<client::Expected<client::Reply>(const std::string& target)> get;
  // Server-sent events, in pieces.
  std::function<client::Expected<client::Reply>(const std::string& target, const Take& take)> follow;
};

// Owner: a command. Lifecycle: take_state(), then take_story(), then what was made of it. Bounded, as a page
// is.
class RunRecord {
 public:
  // How things stand: states, times of the start, why something is not ready.
  client::Expected<void> take_state(const RunSource& source);
  // What has happened: the journal, and the last lines of the logs.
  client::Expected<void> take_story(const RunSource& source);
  // That it has ended like this; `blame`: who of the stack is to blame for that, in a line.
  void ended(int code, const std::string& reason, const std::string& blame);

  [[nodiscard]] report::Run& run() { return run_; }

 private:
  void take_services(std::string_view body);
  client::Expected<void> take_whys(const RunSource& source);
  client::Expected<void> take_events(const RunSource& source);
  client::Expected<void> take_lines(const RunSource& source);
  void sum_up();

  report::Run run_;
  client::TimelineReply timeline_;
  std::int64_t begun_ns_ = 0;  // of the daemon's clock
  std::string why_;            // in one line; empty: everything is ready
  bool ready_ = false, hopeless_ = false;
};

// What is left of one when there is no daemon. `start` or `stop` may be null.
[[nodiscard]] report::Run run_of_history(const config::Stack& stack, const daemon::HistoryEntry* start,
                                         const daemon::HistoryEntry* stop);

}  // namespace belfry::cli
