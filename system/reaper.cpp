#include "system/reaper.hpp"

#include <algorithm>

#include "channels/loop.hpp"

namespace belfry::system {

namespace {

constexpr Duration longest_rest = std::chrono::milliseconds(20);

ExitStatus status_of(const siginfo_t& info) {
  return {info.si_code != CLD_EXITED, info.si_status, info.si_code == CLD_DUMPED};
}

}  // namespace

Reaper::Reaper(Loop& loop, Signals& signals, Syscalls& syscalls, ReapListener& listener)
    : loop_(loop), signals_(signals), syscalls_(syscalls), listener_(listener), later_(loop) {
  signals_.set_child_listener(this);
  loop_.wake(sweep_);
}

Reaper::~Reaper() { signals_.set_child_listener(nullptr); }

void Reaper::disown(pid_t pid) {
  if (ExitWatcher** watcher = children_.find(pid)) *watcher = nullptr;
  followed_.erase(pid);
}

void Reaper::on_signal(const SignalEvent& event) {
  const bool told = event.sender > 0 && owns(event.sender) && reap(P_PID, event.sender);
  // Signals coalesce, so others may have ended too; to find out that none has costs a look at every child.
  if (sweep_.linked() || (told && later_.armed())) return;
  later_.cancel();
  if (told && loop_.now() < rests_until_) {
    later_.arm(rests_until_, [this] {
      if (!sweep_.linked()) loop_.wake(sweep_);
    });
  } else {
    loop_.wake_afterwards(sweep_);
  }
}

bool Reaper::reap(idtype_t type, pid_t pid) {
  siginfo_t info{};
  if (syscalls_.waitid(type, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) < 0) return false;
  if (info.si_pid == 0) return false;
  ExitWatcher** found = children_.find(info.si_pid);
  bool known = found != nullptr;
  ExitWatcher* watcher = known ? *found : nullptr;
  // Out of the map first: the watcher may spawn, and the kernel may give the same number again.
  if (known) children_.erase(info.si_pid);
  if (ExitWatcher** follower = known ? nullptr : followed_.find(info.si_pid)) {
    watcher = *follower;
    followed_.erase(info.si_pid);
  }
  if (watcher != nullptr) watcher->on_exit(info.si_pid, status_of(info));
  listener_.on_reaped(info.si_pid, known);
  return true;
}

std::size_t Reaper::sweep() {
  std::size_t count = 0;
  while (count < batch && reap(P_ALL, 0)) ++count;
  if (count == batch && !sweep_.linked()) loop_.wake(sweep_);
  return count;
}

// A chain of ten thousand that stops one by one would spend its time with looks that find nobody: after one
// of those, the next comes when thirty-two times as long has passed, or 20 ms, unless a signal names nobody
// or somebody who is not ours. Only who died between two reads of the signal, beside another one, waits for
// it.
void Reaper::Sweep::run() noexcept {
  const TimePoint begun = reaper.loop_.now();
  const bool found = reaper.sweep() != 0;
  const TimePoint ended = reaper.loop_.now();
  reaper.rests_until_ =
      found ? TimePoint::min() : ended + std::min<Duration>(32 * (ended - begun), longest_rest);
}

}  // namespace belfry::system
