// The whole wait: for servers, files and names by probes, for services of a running belfry by one question to
// it, all at once on one loop.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "channels/time/time.hpp"
#include "waiter/attempts.hpp"
#include "waiter/tally.hpp"
#include "waiter/target.hpp"

namespace belfry::waiter {

// Services of one running belfry.
struct Services {
  std::vector<std::string> names;  // each once
  std::string socket;              // its control socket
  std::string condition;           // empty: what "up" means for each
};

// How much is said meanwhile.
enum class Pace : std::uint8_t {
  nothing,
  line,       // every second, to be rewritten
  reminders,  // as client::WaitSchedule has them
};

struct Request {
  std::vector<Target> targets;
  Services services;
  bool any = false;                 // one of all is enough
  std::optional<Duration> timeout;  // unset: for ever
  AttemptTerms attempts;
  Pace pace = Pace::nothing;
};

// Told of the wait while it lasts, from the loop's turn: must not block.
class Listener {
 public:
  // Who keeps these services from being what is waited for, of a body of /v1/services.
  virtual std::string blame(const std::string& body, const std::vector<std::string>& services) = 0;
  virtual void still_waiting(Duration since, std::span<const Awaited* const> unmet) = 0;

 protected:
  ~Listener() = default;
};

struct Outcome {
  enum class End : std::uint8_t { so, timed_out, failed, interrupted };
  End end = End::so;
  Failure failure{};             // failed
  int signal = 0;                // interrupted
  std::vector<Awaited> unmet{};  // timed_out
};

// Needs a SignalBlock. The thread's: it runs a loop of its own until the end. A failure with
// exit_code::usage: a target of a kind that is not supported yet.
[[nodiscard]] Outcome wait(Request request, Listener& listener);

}  // namespace belfry::waiter
