// What the command line reads of the daemon's JSON. The parser is Boost.JSON, known to no header but
// json_members.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry::client {

// One that is over.
struct PastRun {
  std::int64_t number = 0, started_ns = 0, wall_ns = 0, cpu_ns = 0, oom_kills = 0;
  std::optional<std::int64_t> peak_memory;  // bytes; nothing: nobody knows
  bool peak_is_bound = false;               // it was at most so much
  std::string end;
};

// When a oneshot runs by itself.
struct ScheduleStatus {
  std::string text;                     // "every 10m"
  std::optional<std::int64_t> next_ns;  // on the daemon's monotonic clock; nothing: it will not
  bool queued = false;
  std::int64_t missed = 0, skipped = 0;  // runs
};

struct ServiceStatus {
  std::string name, type, state;
  bool ready = false, wanted = false;
  std::optional<std::int64_t> pid;
  std::int64_t since_ns = 0;
  std::int64_t restarts = 0;
  std::vector<std::string> waiting_for;                      // for people: "db ready"
  std::vector<std::string> waiting_for_services;             // their names alone
  std::vector<std::pair<std::string, bool>> bells;           // of its own: name, has rung
  std::vector<std::pair<std::string, std::string>> outputs;  // what its run has published; a secret is "***"
  std::string last_error, status_text;
  std::optional<std::int64_t> time_to_ready_ns = {};                 // of the current run
  std::vector<std::pair<std::string, std::int64_t>> notify_refused;  // why, how often
  std::string readiness_polling;                                     // "asked every 10 ms (why)"
  std::string readiness_method;                                      // "port 80: kernel event (seccomp)"
  std::optional<ScheduleStatus> schedule = {};                       // nothing: it has none
  std::vector<PastRun> past_runs;                                    // read_past_runs(); the oldest first
};

// A file that the daemon has read, as it was then.
struct SourceFile {
  std::string path;
  std::int64_t modified_ns = 0;
};

struct StackStatus {
  std::string stack;
  std::string hopeless = {};  // why waiting longer for the start is of no use; empty: it may still come up
  std::vector<SourceFile> files = {};
  bool ready = false, shutting_down = false;
  std::int64_t now_ns = 0;  // the daemon's monotonic clock
  bool detailed = false;    // services were asked for by name: say how each comes to be ready
  std::vector<ServiceStatus> services;
};

// The body of /v1/services; nothing when it is not that.
[[nodiscard]] std::optional<StackStatus> read_status(std::string_view body);

// What the body of /v1/services/NAME says of the runs that are over.
[[nodiscard]] std::vector<PastRun> read_past_runs(std::string_view body);

// A member of an object that is a text; empty when there is none.
[[nodiscard]] std::string text_member(std::string_view object, std::string_view name);
// One that is a whole number; 0 when there is none.
[[nodiscard]] std::int64_t number_member(std::string_view object, std::string_view name);
// A member of an object that is a list of texts.
[[nodiscard]] std::vector<std::string> list_member(std::string_view object, std::string_view name);

}  // namespace belfry::client
