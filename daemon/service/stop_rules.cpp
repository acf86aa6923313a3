#include "daemon/service/stop_rules.hpp"

#include <algorithm>

#include "config/model/duration.hpp"

namespace belfry::daemon {

namespace {

TimePoint asked_at(const Record& record) { return record.run.asked_to_stop_at.value_or(record.since); }

Duration own_time(const Record& record, const config::Service& service) {
  return record.run.stop_timeout.value_or(service.stop.timeout);
}

bool budget_is_over(const Run& run, TimePoint now) {
  return run.end_by && saturating_add(*run.end_by, sigkill_takes) <= now;
}

}  // namespace

TimePoint kill_deadline(const Record& record, const config::Service& service, const Moment& now) {
  const Moment asked{.at = asked_at(record), .paused = record.paused_before_since};
  const TimePoint own = asked.plus(own_time(record, service), now);
  return std::min(std::max(own, record.run.said.extended_until()),
                  record.run.kill_by.value_or(TimePoint::max()));
}

std::string why_killed(const Record& record, const config::Service& service) {
  const Duration own = own_time(record, service);
  const TimePoint by_itself = saturating_add(asked_at(record), own);
  const bool by_the_stack =
      record.run.kill_by && *record.run.kill_by < std::max(by_itself, record.run.said.extended_until());
  std::string why = own == Duration::zero() ? "at once"
                    : by_the_stack          ? "its share of shutdown.timeout"
                                            : "stop.timeout " + config::to_string(own);
  if (record.cause) why += "; it had to stop: " + record.cause.text();
  return why;
}

TimePoint kill_again_at(const Run& run, TimePoint killed_at, TimePoint now) {
  const TimePoint first = killed_at + sigkill_takes;
  const TimePoint next = first > now ? first : now + sigkill_takes;
  const TimePoint over = run.end_by ? saturating_add(*run.end_by, sigkill_takes) : TimePoint::max();
  return over > now ? std::min(next, over) : next;
}

bool is_beyond_killing(const Run& run, const std::vector<system::Survivor>& left, TimePoint killed_at,
                       TimePoint now) {
  if (budget_is_over(run, now) || now >= killed_at + killing_takes) return true;
  if (left.empty()) return false;
  if (std::ranges::all_of(left, is_out_of_reach)) return true;
  const auto will_not_go = [](const system::Survivor& p) { return is_out_of_reach(p) || p.state == 'D'; };
  return std::ranges::all_of(left, will_not_go) && killed_at + sigkill_takes <= now;
}

std::string text_of_stuck(const std::vector<system::Survivor>& left) {
  if (left.empty()) return "somebody of it is left, and cannot be seen";
  std::string what = text_of(left);
  if (std::ranges::any_of(left, [](const auto& p) { return p.state == 'D'; }))
    what += "; see what it waits for in /proc/" + std::to_string(left.front().pid) + "/stack";
  return what;
}

}  // namespace belfry::daemon
