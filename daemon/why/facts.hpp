// What is known of a stack at one moment that can tell why something is not up: plain values.
//
// The problem: whoever explains looks at edges, runs, probes, deadlines and logs of many services at once. So
// all of it is written down first, by who knows the services, and what is made of it is a function that can
// be tested with literals. Times are spans, counted from the moment or to what comes next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "config/model/model.hpp"
#include "daemon/state/service_state.hpp"

namespace belfry::daemon {

// Something that a service waits for: an edge that does not hold, or a service that has to stop before it.
struct WaitFacts {
  std::size_t on = 0;     // in StackFacts::services
  std::string condition;  // "ready", an own bell's name
  bool required = true;
  bool to_stop = false;                // it stops only after the other one has
  bool for_a_slot = false;             // the other one has taken the place in `limits.parallel_starts`
  std::optional<Duration> given_up{};  // when its `timeout` is over
};

// What has led a service to its state, where the state does not say it.
enum class Reason : std::uint8_t {
  none,
  cannot_start,  // the start was refused: it would never work
  not_now,       // the start could not be tried this time
  ended,         // its main process has ended by itself
  not_in_time,   // `ready.timeout`
  edge_timeout,  // the `timeout` of an edge
  hook,          // a hook of the start
  not_alive,     // `live`
  silent,        // its watchdog
  by_command,    // somebody stopped it
  by_loss,       // `on_loss: stop`
  never_asked,   // nobody has started it
  not_due,       // it runs by itself, and its time has not come
  not_enabled,   // none of its profiles is active
  unkillable,    // a process of its last run cannot be killed
};

// What keeps a starting service from being ready, by how it comes to be known.
enum class Missing : std::uint8_t { nothing, message, newline, line, listener, answer, file, command, hook };

struct ServiceFacts {
  std::string name;
  config::ServiceType type = config::ServiceType::daemon;
  State state = State::inactive;
  bool is_remote = false;          // other hosts tell of it
  bool holds = false;              // its default level
  bool wanted = false;             // counts for /readyz
  Duration for_long{0};            // in its state
  bool is_to_stop = false;         // somebody wants its stop, which has not begun or is not over
  bool comes_again = false;        // …and starts again after it
  std::vector<WaitFacts> waits{};  // what it waits for now, in the order of the file
  std::string news{};              // …where all edges hold: "news of kafka: cannot list …"
  std::size_t needed = 0, holding = 0, members = 0;  // of a gate

  Reason reason = Reason::none;
  std::string words{};    // what is wrong, without its name: "exited with code 1 before it was ready"
  std::string finding{};  // what else is known of it: "port 80 is taken by pid 8 (nginx, user root)"
  std::uint32_t gave_up_after = 0;  // restarts, where that was the limit
  std::uint32_t failures = 0;       // in a row
  std::uint64_t runs = 0;
  bool was_ready = false;  // in its current run, or its last one
  std::uint16_t taken_port = 0;
  int taken_by = 0;  // the pid of whoever has that port; 0: nobody knows

  Missing missing = Missing::nothing;
  std::string probe_error{};  // of the attempt that failed last
  std::string method{};       // how it comes to be known as ready
  std::string status{};       // what it says of itself
  std::optional<int> pid{};
  std::string survivors{};            // who has not ended, while it stops
  bool was_killed = false;            // they have been sent SIGKILL
  std::string hook{};                 // which one runs: "pre_start"
  std::optional<Duration> next_in{};  // the retry, the kill or the end of the start, as the state has one
  std::string schedule{};             // when it runs by itself: "every 10m"
  std::optional<Duration> due_in{};   // its next run by itself
  std::vector<std::string> past{};    // its last runs, in words, the newest first
  std::vector<std::string> log{};     // the last lines of its last run
  bool is_hidden = false;             // words are not for whoever asks
};

struct StackFacts {
  std::string stack;
  bool ready = false;
  bool shutting_down = false;
  std::vector<ServiceFacts> services;
  std::vector<std::size_t> asked;  // about whom: one service, or all that keep the stack from being ready
  bool about_stack = false;
};

}  // namespace belfry::daemon
