#include "system/process_handle.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <vector>

#include "system/syscalls.hpp"

namespace belfry::system {

OrErrno<ProcessHandle> ProcessHandle::open(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return std::unexpected(errno);
  return ProcessHandle(fd);
}

bool ProcessHandle::has_ended() const {
  pollfd process{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&process, 1, 0) == 1;
}

bool ProcessHandle::send(int signo) const {
  return ::syscall(SYS_pidfd_send_signal, fd_.get(), signo, nullptr, 0) == 0;
}

bool ProcessHandle::signal(int signo) const {
  const bool sent = send(signo);
  if (sent && asks_to_end(signo)) (void)send(SIGCONT);
  return sent;
}

std::optional<ExitStatus> ProcessHandle::peek_status() const {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(fd_.get()), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return std::nullopt;
  return exit_status(info.si_code, info.si_status);
}

void wait_until_one_has_ended(std::span<const ProcessHandle> processes, Duration patience) {
  if (processes.empty()) return;
  std::vector<pollfd> watched;
  watched.reserve(processes.size());
  for (const ProcessHandle& one : processes) watched.push_back({one.descriptor(), POLLIN, 0});
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(patience, Duration::zero()));
  const auto most = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
  ::poll(watched.data(), watched.size(), static_cast<int>(most));
}

}  // namespace belfry::system
