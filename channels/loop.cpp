#include "channels/loop.hpp"

#include <algorithm>
#include <optional>

#include "channels/asio.hpp"
#include "channels/detail/die.hpp"
#include "channels/detail/kernel_timer.hpp"
#include "channels/detail/root_task.hpp"
#include "channels/detail/task_errors.hpp"

namespace belfry {

namespace detail {

// Asio's side of the loop, kept out of the header.
struct Reactor {
  Reactor(asio::io_context* foreign, KernelTimer::Fired fired, Loop* loop)
      : own(foreign == nullptr ? std::make_unique<asio::io_context>(1) : nullptr),
        io(foreign == nullptr ? *own : *foreign),
        timer(io, fired, loop, loop->alive()) {}
  std::unique_ptr<asio::io_context> own;
  asio::io_context& io;
  KernelTimer timer;
  std::optional<TimePoint> kernel_armed_for;
};

void RootTask::report(std::exception_ptr thrown) noexcept { owner()->task_threw(name(), std::move(thrown)); }

void RootTask::finish(std::coroutine_handle<> self) noexcept {
  TaskOwner* told = owner();
  unlink();
  self.destroy();
  told->task_done();
}

}  // namespace detail

namespace {

// A turn ends after so many rounds even if tasks keep waking each other, so that I/O is looked at.
constexpr int rounds_per_turn = 128;

// How long what arrived before a deadline is read, at most: who talks without end does not keep the others'
// deadlines from coming.
constexpr Duration longest_intake = std::chrono::milliseconds(50);

// A loop that comes later than that for a timer was paused, and not just busy.
constexpr Duration longest_delay = std::chrono::milliseconds(100);

// When the pause began nobody knows: after the last turn, before the timer. A loop that was idle for long
// before the timer is taken to have been so, but for the last of that time.
constexpr Duration most_taken_for_pause = std::chrono::seconds(2);

}  // namespace

Loop::Loop()
    : horizon_(Clock::now()),
      turn_began_(horizon_),
      awake_until_(horizon_),
      reactor_(std::make_unique<detail::Reactor>(nullptr, &Loop::kernel_timer_fired, this)) {}

Loop::Loop(asio::io_context& io)
    : horizon_(Clock::now()),
      turn_began_(horizon_),
      awake_until_(horizon_),
      reactor_(std::make_unique<detail::Reactor>(&io, &Loop::kernel_timer_fired, this)) {}

Loop::Loop(ManualClock& clock) : Loop() {
  clock_ = &clock;
  manual_ = &clock;
  awake_until_ = horizon_ = turn_began_ = clock.now();
}

Loop::~Loop() { abandon(); }

asio::io_context& Loop::io() noexcept { return reactor_->io; }

std::size_t Loop::tasks() const noexcept {
  std::size_t count = 0;
  for (const detail::RootTask* task = tasks_.first(); task != nullptr; task = tasks_.after(*task)) ++count;
  return count;
}

void Loop::each_task(const std::function<void(std::string_view name)>& visit) const {
  for (const detail::RootTask* task = tasks_.first(); task != nullptr; task = tasks_.after(*task)) {
    visit(task->name());
  }
}

void Loop::adopt(detail::RootTask& task) noexcept {
  if (abandoned_) detail::die("spawn a task", task.name(), "its loop was abandoned");
  tasks_.push_back(task);
  if (first_unstarted_ != nullptr) return;
  first_unstarted_ = &task;
  wake(starter_);
}

// New tasks are the tail of the census, so being ready to start costs them no link of their own.
void Loop::Starter::run() noexcept {
  detail::RootTask* last = &loop.tasks_.back();
  for (bool more = true; more;) {
    detail::RootTask* task = loop.first_unstarted_;
    more = task != last;
    loop.first_unstarted_ = loop.tasks_.after(*task);
    task->handle().resume();
  }
  if (loop.first_unstarted_ != nullptr && !linked()) loop.wake(*this);
}

void Loop::unread_error(std::string_view what, std::string_view name, std::string_view why,
                        const Error& error) noexcept {
  if (unread_handler_) {
    unread_handler_("cannot " + std::string(what) + " '" + std::string(name) + "': " + std::string(why),
                    error);
    return;
  }
  const std::string text = std::string(why) + ": " + error.text();
  if (!abandoned_) detail::die(what, name, text);
  detail::say(what, name, text);
}

void Loop::broke(std::string_view kind, std::string_view name, std::exception_ptr thrown) noexcept {
  unread_error("go on after " + std::string(kind), name, "it threw",
               detail::what_was_thrown(std::move(thrown)));
}

// What a handler of Asio throws comes out of its run() or poll(), which may be called again then.
template <class Run>
std::size_t Loop::run_handlers(Run run) noexcept {
  try {
    return run(reactor_->io);
  } catch (...) {
    broke("handler", "asio", std::current_exception());
    return 1;
  }
}

void Loop::Leftovers::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  loop.unread_error("go on after task", name, "it threw and nobody joins it",
                    detail::what_was_thrown(std::move(thrown)));
}

inline void Loop::resume_first(detail::WaiterList& list) noexcept {
  detail::Waiter& waiter = list.pop_front();
  if (!list.empty()) __builtin_prefetch(list.front().handle.address());
  if (waiter.handle) {
    waiter.handle.resume();
  } else {
    static_cast<Callback&>(waiter).run();
  }
}

std::size_t Loop::drain() noexcept {
  std::size_t resumed = 0;
  bool later_had = false;  // once a turn: between two of them the kernel is asked for news
  for (int round = 0; round < rounds_per_turn && !stop_requested_; ++round) {
    const bool last = round == rounds_per_turn - 1;  // who wakes himself again and again keeps nobody out
    if ((ready_.empty() || last) && !std::exchange(later_had, true)) ready_.splice_back(later_);
    if (ready_.empty()) break;
    current_.splice_back(ready_);
    for (; !current_.empty(); ++resumed) resume_first(current_);
  }
  return resumed;
}

std::size_t Loop::turn() noexcept {
  if (stepping_ || abandoned_) return 0;
  turn_began_ = now();
  count_pause(turn_began_);
  meter_.begin();
  in_turn_ = true;
  const std::size_t resumed = drain();
  settle_timer();
  in_turn_ = false;
  const TimePoint ended = meter_.end();
  awake_until_ = clock_ == nullptr ? ended : clock_->now();
  const bool quiet = ready_.empty() && later_.empty();
  if (!quiet) request_turn();
  if (running_ && (stop_requested_ || (tasks_.empty() && quiet))) reactor_->io.stop();
  return resumed;
}

void Loop::refuse_nesting() const noexcept {
  if (in_turn_ || running_) detail::die("run a loop", "loop", "it is running already");
}

void Loop::post_turn() noexcept {
  if (abandoned_) return;
  turn_posted_ = true;
  asio::post(reactor_->io, [this, alive = alive_] {
    if (!alive) return;
    turn_posted_ = false;
    turn();
  });
}

void Loop::wake_from_io(detail::Waiter& waiter) noexcept {
  ++heard_;
  ready_.push_back(waiter);
  if (!in_turn_) turn();
}

// At most one system call a turn: only when the earliest deadline differs from what the kernel knows.
// A deadline that was taken back is taken back from the kernel too: an idle process is not woken.
void Loop::settle_timer() noexcept {
  if (manual_ != nullptr || taking_in_) return;
  const std::optional<TimePoint> earliest = timers_.earliest();
  if (earliest == reactor_->kernel_armed_for) return;
  reactor_->kernel_armed_for = earliest;
  reactor_->timer.set(earliest);
}

// Timers are due, but what arrived before them goes first.
void Loop::kernel_timer_fired(void* self) noexcept {
  auto& loop = *static_cast<Loop*>(self);
  loop.reactor_->kernel_armed_for.reset();
  loop.next_horizon_ = loop.now();
  loop.count_pause(loop.next_horizon_);
  loop.taking_in_ = true;
  loop.take_in_the_rest(0, loop.heard_);
}

bool Loop::is_over(TimePoint deadline) const noexcept {
  if (deadline <= horizon_) return true;
  const TimePoint time = now();
  if (deadline > time) return false;
  return deadline > turn_began_ || time - turn_began_ >= longest_intake;
}

void Loop::count_pause(TimePoint now) noexcept {
  const std::optional<TimePoint> earliest = timers_.earliest();
  if (!earliest || now - *earliest <= longest_delay) return;
  paused_ = saturating_add(
      paused_, std::min(now - awake_until_, saturating_add(now - *earliest, most_taken_for_pause)));
  awake_until_ = now;  // counted, whatever is looked at first after it
}

// What is posted runs behind all that Asio has been told by now, and before each such run Asio asks the
// kernel once more. A round in which nothing was heard therefore follows a question that was answered
// "nothing".
void Loop::take_in_the_rest(int round, std::uint64_t heard_before) noexcept {
  if (abandoned_) return;
  const bool quiet = round >= 2 && heard_ == heard_before;
  if (!quiet && now() - next_horizon_ < longest_intake) {
    asio::post(reactor_->io, [this, alive = alive_, round, heard = heard_] {
      if (alive) take_in_the_rest(round + 1, heard);
    });
    return;
  }
  taking_in_ = false;
  horizon_ = next_horizon_;
  meter_.begin();
  fire_timers(horizon_);
  turn();
}

// What fires becomes ready for the turn that follows, without a post of its own.
std::size_t Loop::fire_timers(TimePoint now) noexcept {
  in_turn_ = true;
  const std::size_t fired = timers_.fire_due(now);
  in_turn_ = false;
  return fired;
}

std::uint64_t Loop::kernel_timer_changes() const noexcept { return reactor_->timer.changes(); }

// What waits in the background is not counted as work, so an event of it may stand in the queue of an
// io_context that has nothing to do.
bool Loop::is_asleep() noexcept {
  const auto work = asio::make_work_guard(reactor_->io);
  reactor_->io.restart();
  return run_handlers([](asio::io_context& io) { return io.poll(); }) == 0;
}

// The count of Asio's outstanding work is what io_context::run goes by; the two calls are those of the
// executor requirements of the Networking TS.
void Loop::begin_background_wait() noexcept { executor().on_work_finished(); }

void Loop::end_background_wait() noexcept { executor().on_work_started(); }

RunEnd Loop::run() {
  refuse_nesting();
  if (abandoned_) return RunEnd::finished;
  running_ = true;
  turn();
  while (!stop_requested_ && (!tasks_.empty() || !ready_.empty() || !later_.empty())) {
    reactor_->io.restart();
    if (run_handlers([](asio::io_context& io) { return io.run(); }) == 0 && is_asleep()) break;
  }
  running_ = false;
  reactor_->io.restart();
  if (std::exchange(stop_requested_, false)) return RunEnd::stopped;
  return tasks_.empty() ? RunEnd::finished : RunEnd::asleep;
}

void Loop::stop() noexcept {
  stop_requested_ = true;
  request_turn();
}

std::size_t Loop::run_until_idle() {
  refuse_nesting();
  if (abandoned_) return 0;
  std::size_t resumed = 0;
  for (;;) {
    const TimePoint when = now();
    count_pause(when);
    horizon_ = when;
    const std::size_t fired = fire_timers(when);
    const std::size_t moved = turn();
    resumed += moved;
    reactor_->io.restart();
    const std::size_t handled = run_handlers([](asio::io_context& io) { return io.poll(); });
    if (stop_requested_ || (fired == 0 && moved == 0 && handled == 0)) break;
  }
  stop_requested_ = false;
  return resumed;
}

bool Loop::step() {
  refuse_nesting();
  if (abandoned_) return false;
  stepping_ = true;
  in_turn_ = true;
  horizon_ = turn_began_ = now();
  timers_.fire_due(horizon_);
  if (ready_.empty()) ready_.splice_back(later_);
  bool moved = !ready_.empty();
  if (moved) resume_first(ready_);
  in_turn_ = false;
  if (!moved) {
    reactor_->io.restart();
    moved = run_handlers([](asio::io_context& io) { return io.poll_one(); }) != 0;
  }
  settle_timer();
  stepping_ = false;
  if (!ready_.empty() || !later_.empty()) request_turn();
  return moved;
}

bool Loop::advance_to_next_timer() {
  if (manual_ == nullptr) detail::die("advance a loop", "loop", "it has no manual clock");
  run_until_idle();
  const std::optional<TimePoint> earliest = timers_.earliest();
  if (!earliest) return false;
  manual_->set(*earliest);
  run_until_idle();
  return true;
}

void Loop::advance(Duration by) {
  if (manual_ == nullptr) detail::die("advance a loop", "loop", "it has no manual clock");
  const TimePoint target = saturating_add(now(), by);
  run_until_idle();
  while (timers_.earliest() && *timers_.earliest() <= target) advance_to_next_timer();
  manual_->set(target);
  run_until_idle();
}

void Loop::abandon() noexcept {
  if (abandoned_) return;
  if (in_turn_) detail::die("abandon a loop", "loop", "a task of it is running");
  abandoned_ = true;
  alive_.end();
  first_unstarted_ = nullptr;
  const bool outer = std::exchange(detail::abandoning, true);
  while (!tasks_.empty()) {
    detail::RootTask& newest = tasks_.back();
    newest.unlink();
    newest.handle().destroy();
  }
  ready_.splice_back(later_);
  while (!ready_.empty()) {
    detail::Waiter& waiter = ready_.pop_front();
    if (!waiter.handle) static_cast<Callback&>(waiter).discard();
  }
  detail::abandoning = outer;
}

}  // namespace belfry
