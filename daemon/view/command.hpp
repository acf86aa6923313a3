// What can be asked of a service, and how that ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::daemon {

enum class ServiceCommand : std::uint8_t { start, stop, restart, kill, reload };

// Who is touched beside the service itself.
enum class Manner : std::uint8_t {
  in_order,  // who depends on it goes first and comes back; what it requires is started
  alone,     // nobody
  rolling,   // of a restart: nobody, and its replicas one after the other
};

// How a command ended.
enum class CommandOutcome : std::uint8_t {
  done,           // it is as it was asked for
  refused,        // what the service is, or the state it is in, does not allow it
  never,          // it was begun, and can never be so
  shutting_down,  // the stack goes down meanwhile
  not_in_time,    // the time was over, or whoever asked has left
};

// What a command did, or why it could not.
struct CommandResult {
  CommandOutcome outcome = CommandOutcome::done;
  std::string message;                // "cannot start cache: …"; when done, what was done
  std::vector<std::string> affected;  // the services that were touched, in order
};

[[nodiscard]] constexpr std::string_view name_of(ServiceCommand command) {
  constexpr std::string_view names[] = {"start", "stop", "restart", "kill", "reload"};
  return names[static_cast<std::size_t>(command)];
}

[[nodiscard]] constexpr std::string_view name_of(CommandOutcome outcome) {
  constexpr std::string_view names[] = {"done", "refused", "never", "shutting_down", "not_in_time"};
  return names[static_cast<std::size_t>(outcome)];
}

}  // namespace belfry::daemon
