#include "daemon/notify/main_process.hpp"

#include <sys/epoll.h>

#include <string>

namespace belfry::daemon {

Result<void> MainProcess::follow(pid_t pid) {
  auto process = system::ProcessHandle::open(pid);
  if (!process)
    return std::unexpected(
        Error::from_errno(process.error(), "cannot follow process " + std::to_string(pid)));
  forget();
  process_ = std::move(*process);
  pid_ = pid;
  return poller_.add(process_->descriptor(), EPOLLIN, *this);
}

void MainProcess::forget() {
  if (!process_) return;
  poller_.remove(process_->descriptor(), *this);
  process_.reset();
  pid_ = 0;
}

void MainProcess::on_event(std::uint32_t) {
  const std::optional<system::ExitStatus> status = process_->peek_status();
  const pid_t ended = pid_;
  forget();
  listener_.on_main_ended(ended, status);
}

}  // namespace belfry::daemon
