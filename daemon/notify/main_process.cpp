#include "daemon/notify/main_process.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace belfry::daemon {

namespace {

// What became of it, when it is our child by now (an orphan comes to us) and not reaped yet. It stays for the
// reaper to take.
std::optional<system::ExitStatus> peek(int pidfd) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return std::nullopt;
  return system::ExitStatus{
      .signaled = info.si_code != CLD_EXITED, .value = info.si_status, .core = info.si_code == CLD_DUMPED};
}

}  // namespace

Result<void> MainProcess::follow(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0)
    return std::unexpected(Error::from_errno(errno, "cannot follow process " + std::to_string(pid)));
  forget();
  fd_ = fd;
  pid_ = pid;
  return poller_.add(fd_, EPOLLIN, *this);
}

bool MainProcess::signal(int signo) const {
  const auto send = [this](int number) {
    return fd_ >= 0 && ::syscall(SYS_pidfd_send_signal, fd_, number, nullptr, 0) == 0;
  };
  const bool sent = send(signo);
  const bool asks_to_end =
      signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGQUIT || signo == SIGABRT;
  if (sent && asks_to_end) send(SIGCONT);  // a stopped process sees the request only when it goes on
  return sent;
}

void MainProcess::forget() {
  if (fd_ < 0) return;
  poller_.remove(fd_, *this);
  ::close(std::exchange(fd_, -1));
  pid_ = 0;
}

void MainProcess::on_event(std::uint32_t) {
  const std::optional<system::ExitStatus> status = peek(fd_);
  const pid_t ended = pid_;
  forget();
  listener_.on_main_ended(ended, status);
}

}  // namespace belfry::daemon
