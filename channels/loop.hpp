// The one thread's event loop: a ready list in front of Asio's io_context, a timer queue, a census.
//
// A *turn* resumes everything that is ready; what becomes ready meanwhile runs in the same turn
// unless that goes on for so long that I/O must be looked at. Nothing is ever resumed from inside
// the call that made it ready: ring(), cancel(), release() return first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "channels/asio_fwd.hpp"
#include "channels/callback.hpp"
#include "channels/detail/cancel_link.hpp"
#include "channels/detail/loop_alive.hpp"
#include "channels/detail/root_task.hpp"
#include "channels/error.hpp"
#include "channels/intrusive_list.hpp"
#include "channels/time/time.hpp"
#include "channels/timer_queue.hpp"
#include "channels/turn_meter.hpp"

namespace belfry {

namespace detail {
struct Reactor;
}  // namespace detail

// Why Loop::run returned.
enum class RunEnd {
  stopped,   // stop() was called
  finished,  // no spawned task is left
  asleep,    // tasks are left, and nothing in this process can ever wake one: each_task() names them
};

// Owner: main, or a test. Lifecycle: run() any number of times; then abandon(), then the primitives
// go, then the loop. Cancellation: stop() ends run(); tasks are ended by their contexts.
// Thread rules: everything belongs to the thread that runs the loop, except a Mailbox (mailbox.hpp).
class Loop {
 public:
  Loop();
  explicit Loop(ManualClock& clock);  // never waits for real time; see advance()
  // On an io_context of somebody else, who runs it, on one thread, and keeps it for longer than this loop.
  // Its run() returns when nothing is left to do or to wait for there: tasks that wait for each other do not
  // hold it.
  explicit Loop(asio::io_context& io);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  asio::io_context& io() noexcept;
  // The executor of io(), for those who include channels/asio.hpp.
  template <class IoContext = asio::io_context>
  auto executor() noexcept {
    return static_cast<IoContext&>(io()).get_executor();
  }

  TimePoint now() const noexcept { return clock_ == nullptr ? Clock::now() : clock_->now(); }

  // Everything that had arrived by this moment has been taken in: read from the kernel and handed to whom it
  // is for. Whoever judges somebody by a deadline compares it with the horizon and not with now(): after a
  // pause of this process (SIGSTOP, a frozen cgroup, one long turn) what was said in time still waits in its
  // sockets, and the deadline must not be judged before it is read. Timers fire when the horizon has reached
  // them.
  TimePoint horizon() const noexcept { return horizon_; }
  // For how long, in all, the loop stood still: it came for a timer more than a tenth of a second too late,
  // and was last seen at the end of the turn before. That is nobody else's fault, so a deadline for somebody
  // is moved by what this has grown since.
  Duration paused() const noexcept { return paused_; }

  // Until stop(), or until no spawned task is left, or until none can ever go on.
  RunEnd run();
  // Ends run() after the tasks that are ready now. Sticky: ends the next run() if none is running.
  void stop() noexcept;

  // Runs what is ready and polls Asio until nothing moves; fires timers due at now(); never waits.
  // Returns how many resumptions there were.
  std::size_t run_until_idle();
  // Resumes the next ready one and nothing else, or lets Asio run one handler; false when neither is
  // there. For tests that stop, look or tear down after every single step.
  bool step();
  // Manual clock only. To the earliest deadline, firing it; false when no timer is armed.
  bool advance_to_next_timer();
  // Manual clock only. Fires everything due on the way, in order, running until idle in between.
  void advance(Duration by);

  TimerQueue& timers() noexcept { return timers_; }
  // How often the kernel was told of an earliest deadline: at most once a turn.
  std::uint64_t kernel_timer_changes() const noexcept;

  // Which turns took too long.
  TurnMeter& meter() noexcept { return meter_; }
  const TurnMeter& meter() const noexcept { return meter_; }

  // The census: spawned tasks that have not finished, oldest first. Counting walks the list.
  std::size_t tasks() const noexcept;
  bool has_tasks() const noexcept { return !tasks_.empty(); }
  void each_task(const std::function<void(std::string_view name)>& visit) const;
  // What each of them waits for, and since when: channels/task_dump.hpp.

  // Told the errors of tasks whose owner went without reading them, those of tasks that were left to the
  // loop, and what callbacks (post(), timers, handlers of Asio) throw: `who` is what the message of their
  // death would begin with ("cannot drop the handle of task 'x'"). A program that can end in good order does
  // so from here; it must neither throw nor wait. Without a handler the process ends with the message; of a
  // loop that was abandoned already it is only printed.
  using UnreadError = std::move_only_function<void(const std::string& who, const Error& error)>;
  void on_unread_error(UnreadError handler) { unread_handler_ = std::move(handler); }

  // Runs `callback()` in the coming turn. Dropped without being run when the loop is abandoned.
  template <class F>
  void post(F callback);

  // Runs `callback()` when nothing else is ready any more, or at the end of a turn that has become long,
  // before the loop waits again: for what nobody waits for (a log line is written, a descriptor closed), so
  // that it delays nobody. What it asks for in this way comes a turn later, after what I/O brought: work that
  // can be cut into pieces is done so.
  template <class F>
  void afterwards(F callback);

  // First step of a teardown: destroys every spawned frame, newest first, resuming nothing. After it
  // primitives may be destroyed in any order, whoever waited for them. Nothing runs on this loop again.
  void abandon() noexcept;
  bool abandoned() const noexcept { return abandoned_; }

  // An operation of Asio's that waits for what comes from outside (a signal) does not keep run() from
  // returning asleep. Called right after it was started, and first of all by its handler.
  void begin_background_wait() noexcept;
  void end_background_wait() noexcept;

  // --- for primitives -------------------------------------------------------------------------
  void wake(detail::Waiter& waiter) noexcept {
    ready_.push_back(waiter);
    request_turn();
  }
  void wake_all(detail::WaiterList& waiters) noexcept {
    if (waiters.empty()) return;
    ready_.splice_back(waiters);
    request_turn();
  }
  void wake_afterwards(detail::Waiter& waiter) noexcept {
    later_.push_back(waiter);
    request_turn();
  }
  void request_turn() noexcept {
    if (!in_turn_ && !turn_posted_) post_turn();
  }
  const detail::LoopAlive& alive() const noexcept { return alive_; }
  // Called by completion handlers of Asio: resumes the waiter and runs a turn with it.
  void wake_from_io(detail::Waiter& waiter) noexcept;
  void adopt(detail::RootTask& task) noexcept;
  // Posted before it has run, a callback runs once.
  void wake(Callback& callback) noexcept {
    if (!callback.linked()) wake(static_cast<detail::Waiter&>(callback));
  }
  void wake_afterwards(Callback& callback) noexcept {
    if (!callback.linked()) wake_afterwards(static_cast<detail::Waiter&>(callback));
  }
  // "cannot <what> '<name>': <why>: <the error>"
  void unread_error(std::string_view what, std::string_view name, std::string_view why,
                    const Error& error) noexcept;
  // The same of what a callback threw: there is nobody else to tell.
  void broke(std::string_view kind, std::string_view name, std::exception_ptr thrown) noexcept;
  // Answers for the tasks that nobody joins.
  TaskOwner& left_to_loop() noexcept { return leftovers_; }
  // Small and deterministic: which of several ready cases goes first.
  std::uint32_t next_choice() noexcept {
    choice_ ^= choice_ << 13;
    choice_ ^= choice_ >> 17;
    choice_ ^= choice_ << 5;
    return choice_;
  }
  // Any of 0 … count-1 with equal chance. Precondition: 0 < count < 2^32.
  std::uint32_t choose(std::size_t count) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{next_choice()} * count) >> 32);
  }
  // When the turn began, in units of 2^24 ns (17 ms) that wrap after 2.3 years: since when somebody waits.
  std::uint32_t stamp() const noexcept {
    return static_cast<std::uint32_t>(turn_began_.time_since_epoch().count() >> 24);
  }
  // The contexts that have no parent.
  detail::CancelList& root_contexts() noexcept { return root_contexts_; }
  // Whether a deadline is over for a task that runs now. It is when the horizon has reached it, and also when
  // it passed while this turn went on: a task that never suspends lets nothing in, and no timer fires. But
  // not when it had passed before the turn began: then there may be news that came in time and is read first.
  bool is_over(TimePoint deadline) const noexcept;

 private:
  friend class TaskDump;
  struct Starter final : Callback {
    explicit Starter(Loop& l) : loop(l) {}
    void run() noexcept override;
    Loop& loop;
  };

  struct Leftovers final : TaskOwner {
    explicit Leftovers(Loop& l) : loop(l) {}
    void task_threw(std::string_view name, std::exception_ptr thrown) noexcept override;
    void task_done() noexcept override {}
    Loop& loop;
  };

  template <class Run>
  std::size_t run_handlers(Run run) noexcept;
  bool is_asleep() noexcept;
  void refuse_nesting() const noexcept;
  void post_turn() noexcept;
  std::size_t turn() noexcept;
  std::size_t drain() noexcept;
  void resume_first(detail::WaiterList& list) noexcept;
  void settle_timer() noexcept;
  static void kernel_timer_fired(void* self) noexcept;
  void count_pause(TimePoint now) noexcept;
  void take_in_the_rest(int round, std::uint64_t heard_before) noexcept;
  std::size_t fire_timers(TimePoint now) noexcept;

  const TimeSource* clock_ = nullptr;
  ManualClock* manual_ = nullptr;
  detail::WaiterList ready_;
  detail::WaiterList current_;  // what this round of the turn has not resumed yet
  detail::WaiterList later_;    // when ready_ is empty, and in a turn's last round
  bool in_turn_ = false;
  bool stepping_ = false;
  bool turn_posted_ = false;
  bool stop_requested_ = false;
  bool running_ = false;
  bool abandoned_ = false;
  bool taking_in_ = false;   // timers are due, and what arrived before them is being read
  std::uint64_t heard_ = 0;  // completions of I/O
  TimePoint horizon_;
  TimePoint turn_began_;
  TimePoint next_horizon_;  // while taking_in_
  TimePoint awake_until_;   // the end of the last turn
  Duration paused_{0};
  std::uint32_t choice_ = 0x9E3779B9U;
  detail::CancelList root_contexts_;
  IntrusiveList<detail::RootTask> tasks_;
  detail::RootTask* first_unstarted_ = nullptr;
  Starter starter_{*this};
  Leftovers leftovers_{*this};
  UnreadError unread_handler_;
  TimerQueue timers_{*this};
  TurnMeter meter_;
  detail::LoopAlive alive_;
  std::unique_ptr<detail::Reactor> reactor_;
};

namespace detail {

// Owner: itself, until it was run or discarded. Lifecycle: one call.
template <class F>
struct Posted final : Callback {
  Posted(Loop& l, F f) : loop(l), function(std::move(f)) {}
  void run() noexcept override {
    const std::unique_ptr<Posted> self(this);
    try {
      function();
    } catch (...) {
      loop.broke("callback", "posted", std::current_exception());
    }
  }
  void discard() noexcept override { delete this; }
  Loop& loop;
  F function;
};

}  // namespace detail

template <class F>
void Loop::post(F callback) {
  static_assert(std::is_invocable_v<F&>);
  if (!abandoned_) wake(*new detail::Posted<F>(*this, std::move(callback)));
}

template <class F>
void Loop::afterwards(F callback) {
  static_assert(std::is_invocable_v<F&>);
  if (!abandoned_) wake_afterwards(*new detail::Posted<F>(*this, std::move(callback)));
}

}  // namespace belfry
