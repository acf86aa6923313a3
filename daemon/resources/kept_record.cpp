#include "daemon/resources/kept_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <utility>

#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

std::string line_of(const KeptProcess& one) {
  return std::to_string(one.pid) + " " + std::to_string(one.born) + " " + one.service + "\n";
}

// Ours alone, or it may name processes that somebody else wants to see ended.
bool is_ours(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 0022U) == 0 && status.st_nlink == 1;
}

}  // namespace

KeptRecord::~KeptRecord() {
  if (file_ >= 0) ::close(file_);
}

bool KeptRecord::exists() const { return ::access(path_.c_str(), F_OK) == 0; }

std::vector<KeptProcess> KeptRecord::read() const {
  std::vector<KeptProcess> found;
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return found;
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; is_ours(file) && (got = ::read(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  ::close(file);
  std::istringstream lines(text);
  for (KeptProcess one; lines >> one.pid >> one.born >> one.service;) {
    if (one.pid > 1) found.push_back(one);
  }
  return found;
}

// Never written into what is there: a name that somebody has laid out to lead elsewhere is replaced.
Result<void> KeptRecord::open() {
  ::unlink(path_.c_str());
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ >= 0) return {};
  return std::unexpected(
      Error::from_errno(errno, "cannot write down whom to keep (on_daemon_death) in " + path_));
}

void KeptRecord::add(pid_t pid, std::string_view service) {
  if (file_ < 0) return;
  const KeptProcess one{pid, system::proc::born_at(pid).value_or(0), std::string(service)};
  const std::string line = line_of(one);
  last_.insert_or_assign(one.service, one);
  // Of a service that is restarted for ever only the last run matters.
  if (++lines_ > (2 * last_.size()) + 1000) return write_anew();
  [[maybe_unused]] const ssize_t written = ::write(file_, line.data(), line.size());
}

void KeptRecord::write_anew() {
  std::string all;
  for (const auto& [service, one] : last_) all += line_of(one);
  lines_ = last_.size();
  if (::ftruncate(file_, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::write(file_, all.data(), all.size());
}

void KeptRecord::remove() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  ::unlink(path_.c_str());
}

}  // namespace belfry::daemon
