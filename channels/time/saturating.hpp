// Arithmetic on times that stays within them.
//
// The problem: a file may say 292 years, a service may ask for as many microseconds as 64 bits hold, and
// the sum of two such times is negative: a deadline that is far away has then passed long ago. Here whatever
// is too late for a clock is the end of time, which every wait takes for "never". Everything that computes
// a deadline or adds up times of a file goes through these; within this namespace so does the plain `+` of a
// moment and a duration. Knows nothing but <chrono>.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace belfry {

namespace detail {

using Ticks = std::chrono::steady_clock::duration;
using Moment = std::chrono::steady_clock::time_point;

constexpr Ticks::rep bounded_sum(Ticks::rep a, Ticks::rep b) noexcept {
  Ticks::rep sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<Ticks::rep>::max() : std::numeric_limits<Ticks::rep>::min();
}

constexpr Ticks::rep bounded_difference(Ticks::rep a, Ticks::rep b) noexcept {
  Ticks::rep difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<Ticks::rep>::max() : std::numeric_limits<Ticks::rep>::min();
}

}  // namespace detail

[[nodiscard]] constexpr detail::Ticks saturating_add(detail::Ticks a, detail::Ticks b) noexcept {
  return detail::Ticks(detail::bounded_sum(a.count(), b.count()));
}

// The moment `by` after `from`; TimePoint::max() is "never", and stays so whatever is taken from it.
[[nodiscard]] constexpr detail::Moment saturating_add(detail::Moment from, detail::Ticks by) noexcept {
  if (from == detail::Moment::max()) return from;
  return detail::Moment(saturating_add(from.time_since_epoch(), by));
}

// A moment as it was meant. A clock begins at 0, so a moment that lies a hundred years before that is a sum
// which has run over the end of time (`now + Duration::max()`): "never". TimePoint::min() itself is long ago.
[[nodiscard]] constexpr detail::Moment in_time(detail::Moment moment) noexcept {
  constexpr detail::Moment longest_ago{detail::Ticks::min() / 2};
  return moment < longest_ago && moment != detail::Moment::min() ? detail::Moment::max() : moment;
}

// How long from `since` to `until`.
[[nodiscard]] constexpr detail::Ticks saturating_subtract(detail::Moment until,
                                                          detail::Moment since) noexcept {
  return detail::Ticks(
      detail::bounded_difference(until.time_since_epoch().count(), since.time_since_epoch().count()));
}

[[nodiscard]] constexpr detail::Ticks saturating_multiply(detail::Ticks time, std::int64_t by) noexcept {
  detail::Ticks::rep product = 0;
  if (!__builtin_mul_overflow(time.count(), by, &product)) return detail::Ticks(product);
  return (time.count() < 0) == (by < 0) ? detail::Ticks::max() : detail::Ticks::min();
}

// A share of a time, or a time that has grown; of a factor that is no number nothing is left.
[[nodiscard]] constexpr detail::Ticks saturating_scale(double ticks, double by) noexcept {
  const double product = ticks * by;
  // The largest double below 2^63; what is beyond it cannot be converted.
  constexpr double most = 9223372036854774784.0;
  if (product > most) return detail::Ticks::max();
  if (product < -most) return detail::Ticks::min();
  return product == product ? detail::Ticks(static_cast<detail::Ticks::rep>(product)) : detail::Ticks::zero();
}
[[nodiscard]] constexpr detail::Ticks saturating_scale(detail::Ticks time, double by) noexcept {
  return by == 1.0 ? time : saturating_scale(static_cast<double>(time.count()), by);
}

// What is nearer to a call than the operators of <chrono> is taken instead of them.
[[nodiscard]] constexpr detail::Moment operator+(detail::Moment from, detail::Ticks by) noexcept {
  return saturating_add(from, by);
}
[[nodiscard]] constexpr detail::Moment operator+(detail::Ticks by, detail::Moment from) noexcept {
  return saturating_add(from, by);
}
[[nodiscard]] constexpr detail::Ticks operator-(detail::Moment until, detail::Moment since) noexcept {
  return saturating_subtract(until, since);
}

}  // namespace belfry
