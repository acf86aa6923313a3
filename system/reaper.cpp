#include "system/reaper.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "channels/loop.hpp"

namespace belfry::system {

namespace {

constexpr Duration longest_rest = std::chrono::milliseconds(20);

}  // namespace

Reaper::Reaper(Loop& loop, Signals& signals, Syscalls& syscalls, ReapListener& listener)
    : loop_(loop), signals_(signals), syscalls_(syscalls), listener_(listener), later_(loop) {
  signals_.set_child_listener(this);
  loop_.wake(sweep_);
}

Reaper::~Reaper() { signals_.set_child_listener(nullptr); }

void Reaper::disown(pid_t pid) {
  if (Child* child = children_.find(pid)) child->watcher = nullptr;
  followed_.erase(pid);
}

void Reaper::expect(pid_t pid) {
  Child* child = children_.find(pid);
  if (child == nullptr || child->expected) return;
  child->expected = true;
  expected_.push_back(pid);
}

bool Reaper::has_ended(pid_t pid) {
  siginfo_t info{};
  const int got =
      syscalls_.waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT, nullptr);
  if (got < 0 || info.si_pid == 0) return false;
  found_ended_.push_back(pid);
  again();
  return true;
}

void Reaper::take_found() {
  for (const pid_t pid : std::exchange(found_ended_, {})) {
    if (owns(pid)) reap(P_PID, pid);
  }
}

// Signals coalesce, so others may have ended too; to find out that none has costs a look at every child.
void Reaper::on_signal(const SignalEvent& event) {
  if (event.sender > 0)
    reap(P_PID, event.sender);
  else
    rests_until_ = TimePoint::min();  // it names nobody
  if (!sweep_.linked()) loop_.wake_afterwards(sweep_);
}

Reaper::Reaped Reaper::reap(idtype_t type, pid_t pid) {
  siginfo_t info{};
  rusage counted{};
  const int got = syscalls_.waitid(type, static_cast<id_t>(pid), &info, WEXITED | WNOHANG, &counted);
  if (got < 0 || info.si_pid == 0) return Reaped::nobody;
  const Child* found = children_.find(info.si_pid);
  const bool known = found != nullptr;
  const bool expected = known && found->expected;
  ExitWatcher* watcher = known ? found->watcher : nullptr;
  // Out of the map first: the watcher may spawn, and the kernel may give the same number again.
  if (known) children_.erase(info.si_pid);
  if (ExitWatcher** follower = known ? nullptr : followed_.find(info.si_pid)) {
    watcher = *follower;
    followed_.erase(info.si_pid);
  }
  if (watcher != nullptr) {
    if (usage_listener != nullptr) usage_listener->on_usage(info.si_pid, usage_of(counted));
    watcher->on_exit(info.si_pid, exit_status(info.si_code, info.si_status));
  }
  listener_.on_reaped(info.si_pid, known);
  return expected ? Reaped::expected : Reaped::unexpected;
}

// Each is asked at most once, and those who are still there stand behind the others the next time. To ask one
// costs the kernel as much as thirty-two children of a look at all of them: with more than that in vain, the
// look would be the better way.
std::size_t Reaper::ask_expected() {
  std::size_t found = 0;
  std::size_t in_vain = children_.size() / 32 + 1;
  for (std::size_t left = expected_.size(); left > 0 && in_vain > 0 && found < batch; --left) {
    const pid_t pid = expected_.front();
    expected_.pop_front();
    const Child* child = children_.find(pid);
    if (child == nullptr || !child->expected) continue;  // it has ended, and its number may be another's
    if (reap(P_PID, pid) != Reaped::nobody) {
      ++found;
    } else {
      expected_.push_back(pid);
      --in_vain;
    }
  }
  return found;
}

std::size_t Reaper::sweep() {
  std::size_t count = 0;
  while (count < batch && reap(P_ALL, 0) != Reaped::nobody) ++count;
  if (count == batch) again();
  return count;
}

void Reaper::again() {
  if (!sweep_.linked()) loop_.wake(sweep_);
}

// A chain of ten thousand that stops one by one would spend its time with looks that find nobody: after one
// that found nobody else than those who are asked anyway, the next comes when thirty-two times as long has
// passed, or 20 ms, unless a signal names nobody. Only who died between two reads of the signal, beside
// another one, and whose end nobody waits for, waits for it.
void Reaper::look_at_all() {
  later_.cancel();
  const TimePoint begun = loop_.now();
  std::size_t found = 0;
  bool unexpected = false;
  Reaped one = Reaped::nobody;
  while (found < batch && (one = reap(P_ALL, 0)) != Reaped::nobody) {
    ++found;
    unexpected = unexpected || one == Reaped::unexpected;
  }
  const TimePoint ended = loop_.now();
  const Duration a_look = (ended - begun) / (found + 1);
  rests_until_ =
      unexpected || found == batch ? TimePoint::min() : ended + std::min<Duration>(32 * a_look, longest_rest);
  if (found == batch) again();
}

void Reaper::Sweep::run() noexcept {
  const Work work(reaper.loop_.meter(), "reaping");
  reaper.take_found();
  if (reaper.ask_expected() == batch) return reaper.again();
  if (reaper.loop_.now() >= reaper.rests_until_) return reaper.look_at_all();
  if (!reaper.later_.armed()) reaper.later_.arm(reaper.rests_until_, [this] { reaper.again(); });
}

}  // namespace belfry::system
