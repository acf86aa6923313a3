#include "system/shared_append.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <utility>

#include "system/owned_fd.hpp"

namespace belfry::system {

namespace {

constexpr mode_t for_its_user_alone = 0600;
constexpr std::size_t stack_size = std::size_t{128} << 10;

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

// Nobody may have laid out something else under its name: a FIFO, or another user's file.
int why_not_usable(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return EINVAL;
  return info.st_uid == ::geteuid() ? 0 : EPERM;
}

// The file that lies at the path when the lock is there, and not one that has been replaced meanwhile.
int open_locked(const std::string& path, OwnedFd& file, struct stat& info) {
  for (;;) {
    file = OwnedFd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                          for_its_user_alone));
    if (!file || ::fstat(file.get(), &info) != 0) return errno;
    if (const int why = why_not_usable(info); why != 0) return why;
    while (::flock(file.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return errno;
    }
    struct stat now{};
    if (::fstat(file.get(), &info) != 0) return errno;
    if (::stat(path.c_str(), &now) == 0 && now.st_ino == info.st_ino && now.st_dev == info.st_dev) return 0;
  }
}

bool ends_within_a_line(int fd, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

// The newest whole lines of at most so many bytes.
std::string newest_lines(int fd, off_t size, off_t most) {
  const off_t from = size > most ? size - most : 0;
  std::string text(static_cast<std::size_t>(size - from), '\0');
  std::size_t read = 0;
  while (read < text.size()) {
    const ssize_t n = ::pread(fd, text.data() + read, text.size() - read, from + static_cast<off_t>(read));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    read += static_cast<std::size_t>(n);
  }
  text.resize(read);
  const std::size_t last = text.rfind('\n');
  text.resize(last == std::string::npos ? 0 : last + 1);
  if (from > 0) text.erase(0, text.find('\n') + 1);
  return text;
}

int write_beside(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  (void)::unlink(beside.c_str());
  const OwnedFd file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, for_its_user_alone));
  if (!file) return errno;
  int error = write_all(file.get(), text);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0 && ::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) (void)::unlink(beside.c_str());
  return error;
}

}  // namespace

AppendOutcome append_to_shared(const std::string& path, std::string_view line, off_t most) {
  OwnedFd file;
  struct stat info{};
  if (const int error = open_locked(path, file, info); error != 0) return {.errnum = error};
  AppendOutcome outcome{.errnum = 0, .mended = ends_within_a_line(file.get(), info.st_size)};
  if (info.st_size + static_cast<off_t>(line.size()) > most) {
    outcome.errnum = write_beside(path, newest_lines(file.get(), info.st_size, most / 2) + std::string(line));
    return outcome;
  }
  outcome.errnum = write_all(file.get(), (outcome.mended ? "\n" : "") + std::string(line));
  if (outcome.errnum != 0) (void)!::ftruncate(file.get(), info.st_size);
  return outcome;
}

// Owner: the appender and its thread together.
struct SharedAppender::State {
  const std::string path;
  const off_t most;

  std::mutex mutex;  // of what follows
  std::condition_variable idle;
  std::move_only_function<void(AppendOutcome)> done;  // null: the owner has gone
  std::deque<std::string> lines;
  bool writing = false;  // a thread is there

  void run() {
    std::unique_lock lock(mutex);
    while (!lines.empty() && done) {
      const std::string line = std::move(lines.front());
      lines.pop_front();
      lock.unlock();
      const AppendOutcome outcome = append_to_shared(path, line, most);
      lock.lock();
      if (done) done(outcome);
    }
    writing = false;
    idle.notify_all();
  }
};

SharedAppender::SharedAppender(std::string path, off_t most,
                               std::move_only_function<void(AppendOutcome)> done)
    : state_(new State{.path = std::move(path),
                       .most = most,
                       .mutex = {},
                       .idle = {},
                       .done = std::move(done),
                       .lines = {}}) {}

SharedAppender::~SharedAppender() {
  const std::scoped_lock lock(state_->mutex);
  state_->done = nullptr;
}

bool SharedAppender::append(std::string line) {
  const std::scoped_lock lock(state_->mutex);
  state_->lines.push_back(std::move(line));
  if (state_->writing) return true;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_size);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto shared = std::make_unique<std::shared_ptr<State>>(state_);
  const auto body = [](void* given) -> void* {
    const std::unique_ptr<std::shared_ptr<State>> state(static_cast<std::shared_ptr<State>*>(given));
    (*state)->run();
    return nullptr;
  };
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited
  pthread_t thread{};
  state_->writing = ::pthread_create(&thread, &attributes, body, shared.get()) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (!state_->writing) {
    state_->lines.clear();
    return false;
  }
  [[maybe_unused]] const auto* given_to_the_thread = shared.release();
  return true;
}

bool SharedAppender::finish(Duration patience) {
  std::unique_lock lock(state_->mutex);
  return state_->idle.wait_for(lock, patience, [this] { return !state_->writing; });
}

}  // namespace belfry::system
