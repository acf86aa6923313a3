// A value that is made once, by the first who needs it; all others wait and get the same result.
//
// The work runs in a task of its own: a caller that is cancelled leaves alone, and does not leave
// its cancellation to the others as their result.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "channels/bell.hpp"
#include "channels/error.hpp"
#include "channels/handshake.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"

namespace belfry {

// Owner: whoever owns the value; must outlive its users. Lifecycle: untouched, making, made (or
// failed, for good). Cancellation: of a get(); the parent's cancel reaches the work itself.
template <class T>
class Once {
 public:
  using Make = std::move_only_function<Task<Result<T>>(Context&)>;

  // `make` is kept here for as long as the value, so a lambda's captures outlive its coroutine.
  Once(Context& parent, const char* name, Make make)
      : make_(std::move(make)), made_(parent.loop(), name), work_(parent, name) {}

  // Result<T*>: the value, which lives here; the error of the work; or the cause of ctx.
  Task<Result<T*>> get(Context& ctx) {
    if (!started_) {
      started_ = true;
      spawn(work_, run(*this));
    }
    Outcome outcome = co_await made_.wait(ctx);
    if (outcome.rung()) co_return &*value_;
    co_return std::unexpected(std::move(outcome.cause));
  }

  bool made() const noexcept { return made_.rung(); }
  // Ends the work if it is under way: Result<void>, as Handshake::stop.
  Handshake::Stop stop(Context& patience) noexcept { return work_.stop(patience); }

 private:
  static Task<> run(Once& self) {
    try {
      Result<T> result = co_await self.make_(self.work_.context());
      if (!result) {
        self.made_.never(std::move(result.error()));
        co_return;
      }
      self.value_.emplace(std::move(*result));
      self.made_.ring();
    } catch (...) {
      self.made_.never(error_from_exception(self.made_.name(), std::current_exception()));
    }
  }

  Make make_;
  std::optional<T> value_;
  Bell<> made_;
  Handshake work_;
  bool started_ = false;
};

}  // namespace belfry
