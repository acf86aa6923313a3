// A value that is made once, by the first who needs it; all others wait and get the same result.
//
// The work runs in a task of its own: a caller that is cancelled leaves alone, and does not leave
// its cancellation to the others as their result.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "channels/bell.hpp"
#include "channels/detail/die.hpp"
#include "channels/error.hpp"
#include "channels/handshake.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"

namespace belfry {

// Owner: whoever owns the value; must outlive its users. Lifecycle: untouched, making, made (or failed, or
// stopped, for good). Cancellation: of a get(); the parent's cancel reaches the work itself. A get() from
// inside the work would wait for itself: it ends the process with the name.
template <class T>
class Once {
 public:
  using Make = std::move_only_function<Task<Result<T>>(Context&)>;

  // `make` is kept here for as long as the value, so a lambda's captures outlive its coroutine.
  Once(Context& parent, const char* name, Make make)
      : make_(std::move(make)), made_(parent.loop(), name), work_(parent, name) {}

  // Result<T*>: the value, which lives here; the error of the work; kind closed when it was stopped before
  // anybody needed it; or the cause of ctx.
  Task<Result<T*>> get(Context& ctx) {
    NotInsideWork not_inside{work_};
    co_await not_inside;
    if (!started_) {
      started_ = true;
      spawn(work_, run(*this));
    }
    Outcome outcome = co_await made_.wait(ctx);
    if (outcome.rung()) co_return &*value_;
    co_return std::unexpected(std::move(outcome.cause));
  }

  bool made() const noexcept { return made_.rung(); }
  // Ends the work if it is under way, and makes it impossible if it is not: Result<void>, as Handshake::stop.
  // A value that was made stays.
  Handshake::Stop stop(Context& patience) noexcept {
    if (!std::exchange(started_, true))
      made_.never(Error::closed(std::string("cannot make '") + made_.name() + "': it was stopped before"));
    return work_.stop(patience);
  }

 private:
  struct NotInsideWork {
    Handshake& work;
    bool await_ready() const noexcept { return !work.running(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) const noexcept {
      if (work.owns(detail::owner_of(awaiting)))
        detail::die("get", work.name(), "from inside the work that makes it: it would wait for itself");
      return false;
    }
    void await_resume() const noexcept {}
  };

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
