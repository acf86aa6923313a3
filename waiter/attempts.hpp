// Asking one probe until it is so, or until it is no longer so.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "channels/context.hpp"
#include "channels/semaphore.hpp"
#include "channels/task.hpp"
#include "probes/probe.hpp"
#include "waiter/tally.hpp"

namespace belfry::waiter {

// How every target of a wait is asked.
struct AttemptTerms {
  bool negated = false;
  std::optional<Duration> interval;  // between two attempts; unset: by probes/schedule.hpp, as before a bell
  Duration timeout = std::chrono::seconds(2);  // of one
};

// Whether a failed attempt says that there is nothing, rather than that it could not be looked: too few
// rights, descriptors or memory here are nobody else's absence.
[[nodiscard]] bool proves_absence(const Error& why);

// Tells the tally of each attempt; returns when there is nothing more to be asked. `slots` bounds how many
// are under way at once. All of them outlive the task.
Task<void> ask_until_settled(Context& ctx, probes::Probe& probe, const AttemptTerms& terms, Semaphore& slots,
                             Tally& tally, std::size_t index);

}  // namespace belfry::waiter
