#include "channels/turn_meter.hpp"

#include <algorithm>
#include <utility>

#include "channels/detail/name.hpp"

namespace belfry {

// What stands inside of another one ends before it: the outer one is to blame only when the inner one was not
// nearly all of it.
void TurnMeter::worked(std::string_view name, Duration time) noexcept {
  if (time - time / 5 <= weight_) return;
  heaviest_ = detail::is_part_of_program(name.data()) ? name : "work whose name is no literal";
  weight_ = time;
}

TimePoint TurnMeter::end() noexcept {
  const TimePoint now = Clock::now();
  const Duration took = now - std::exchange(begun_, {});
  count(took);
  if (took > long_turn) blame(took);
  return now;
}

void TurnMeter::count(Duration took) noexcept {
  std::size_t which = 0;
  while (which < bounds.size() && took > bounds[which]) ++which;
  ++times_.turns[which];
  times_.sum += took;
}

void TurnMeter::blame(Duration took) noexcept {
  const std::string_view name = weight_ < took / 2 ? "many small things" : heaviest_;
  std::size_t which = 0;
  while (which < count_ && known_[which].name != name) ++which;
  if (which == known_.size()) return;
  if (which == count_) known_[count_++].name = name;
  Culprit& culprit = known_[which];
  ++culprit.turns;
  culprit.longest = std::max(culprit.longest, took);
}

}  // namespace belfry
