#include "channels/context.hpp"

#include "channels/detail/die.hpp"
#include "channels/detail/name.hpp"
#include "channels/detail/wait_inquiry.hpp"
#include "channels/loop.hpp"

namespace belfry {

using detail::CancelLink;
using detail::CancelRound;
using detail::TimerNode;

Context::Context(Loop& loop, const char* name) noexcept
    : CancelLink(&Context::parent_cancelled),
      TimerNode(&Context::deadline_reached),
      loop_(&loop),
      name_(detail::keep_name(name)) {
  when = TimePoint::max();
  loop.root_contexts().push_back(*this);
}

Context::Context(Context& parent, const char* name) noexcept
    : CancelLink(&Context::parent_cancelled),
      TimerNode(&Context::deadline_reached),
      loop_(parent.loop_),
      name_(detail::keep_name(name)) {
  when = parent.when;  // told, not armed: the parent's timer reaches us
  parent.enlist(*this);
}

Context::Context(Context& parent, TimePoint deadline, const char* name) noexcept : Context(parent, name) {
  deadline = in_time(deadline);
  if (deadline >= when || cancelled()) return;
  when = deadline;
  if (deadline <= loop_->now()) {
    cancel(Error::deadline_exceeded());
  } else {
    loop_->timers().arm(*this, deadline);
  }
}

Context::Context(Context& parent, Duration within, const char* name) noexcept
    : Context(parent, saturating_add(parent.loop().now(), within), name) {}

Context within(Context& parent, Duration time, const char* name) noexcept { return {parent, time, name}; }

Context::~Context() {
  disarm();
  if (!links_.empty() && !loop_->abandoned() && !detail::abandoning) [[unlikely]]
    detail::die("destroy context", name_, "a child context or a wait still uses it");
  detail::release_name(name_);
}

const Error& Context::no_cause() noexcept {
  static const Error none;
  return none;
}

void Context::disarm() noexcept {
  if (TimerNode::armed()) loop_->timers().cancel(*this);
}

// Const, because nobody can tell it from the timer having fired a moment ago.
bool Context::deadline_is_over() const noexcept {
  if (!loop_->is_over(when)) return false;
  const_cast<Context*>(this)->cancel(Error::deadline_exceeded());  // NOLINT: no context is a constant
  return true;
}

void Context::cancel(const Error& cause) noexcept {
  if (is_cancelled()) return;
  CancelLink::unlink();
  mark_cancelled(cause);
  disarm();
  CancelRound round{*loop_, cancel_cause(), {}};
  round.pending.splice_back(links_);
  while (!round.pending.empty()) round.pending.pop_front().deliver(round);
}

void Context::parent_cancelled(CancelLink& link, CancelRound& round) noexcept {
  auto& self = static_cast<Context&>(link);
  if (round.inquiry != nullptr) return round.inquiry->go_on_with(self.links_);
  self.disarm();
  round.pending.splice_back(self.links_);
}

void Context::deadline_reached(TimerNode& node) noexcept {
  static_cast<Context&>(node).cancel(Error::deadline_exceeded());
}

}  // namespace belfry
