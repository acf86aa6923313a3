#include "system/log_archive.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "system/gzip.hpp"
#include "system/helper_thread.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

namespace {

constexpr int lowest_priority = 19;  // nice(2)

using Clock = std::chrono::system_clock;

std::optional<Clock::time_point> last_written(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  const auto since =
      std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(since));
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

// Shared by the owner's thread, which renames, and the one that compresses.
struct LogArchive::State {
  [[nodiscard]] std::string plain(std::uint32_t number) const { return path + "." + std::to_string(number); }
  [[nodiscard]] std::string packed(std::uint32_t number) const { return plain(number) + ".gz"; }
  [[nodiscard]] std::string unfinished() const { return path + ".gz.part"; }

  void compress_all();
  // Opens the newest that is not compressed, and notes its number.
  OwnedFd next_to_compress();
  void finish(int error);

  std::string path;
  ArchiveRules rules;
  std::mutex mutex;               // of the names, and of what follows
  std::uint32_t compressing = 0;  // its number by now; 0: none
  bool over = true;               // the thread has ended, or is about to
  std::atomic<bool> given_up = false;
};

LogArchive::LogArchive(std::string path, ArchiveRules rules) : state_(std::make_shared<State>()) {
  state_->path = std::move(path);
  state_->rules = rules;
}

LogArchive::~LogArchive() {
  state_->given_up = true;
  join();
}

void LogArchive::join() {
  if (std::exchange(has_thread_, false)) ::pthread_join(thread_, nullptr);
}

int LogArchive::put_aside() {
  State& state = *state_;
  {
    const std::scoped_lock lock(state.mutex);
    const std::uint32_t last = state.rules.max_files - 1;
    if (last == 0) return ::unlink(state.path.c_str()) == 0 ? 0 : errno;
    // The current one first: when it cannot be renamed, none of the others has moved.
    const std::string aside = state.path + ".0";
    if (::rename(state.path.c_str(), aside.c_str()) != 0) return errno;
    ::unlink(state.plain(last).c_str());
    ::unlink(state.packed(last).c_str());
    for (std::uint32_t number = last; number-- > 0;) {
      ::rename(state.plain(number).c_str(), state.plain(number + 1).c_str());
      if (number > 0) ::rename(state.packed(number).c_str(), state.packed(number + 1).c_str());
    }
    if (state.compressing > 0) ++state.compressing;
  }
  return 0;
}

std::optional<Clock::time_point> LogArchive::tidy() {
  State& state = *state_;
  std::optional<Clock::time_point> next;
  {
    const std::scoped_lock lock(state.mutex);
    for (std::uint32_t number = state.rules.max_files;
         exists(state.plain(number)) || exists(state.packed(number)); ++number) {
      ::unlink(state.plain(number).c_str());
      ::unlink(state.packed(number).c_str());
    }
    const Clock::time_point now = Clock::now();
    for (std::uint32_t number = 1; state.rules.max_age > Duration(0) && number < state.rules.max_files;
         ++number) {
      for (const std::string& name : {state.plain(number), state.packed(number)}) {
        const auto written = last_written(name);
        if (!written) continue;
        const Clock::time_point end =
            *written + std::chrono::duration_cast<Clock::duration>(state.rules.max_age);
        if (end <= now)
          ::unlink(name.c_str());
        else
          next = next ? std::min(*next, end) : end;
      }
    }
  }
  compress();
  return next;
}

void LogArchive::compress() {
  if (!state_->rules.compress) return;
  {
    const std::scoped_lock lock(state_->mutex);
    if (!state_->over) return;  // it will look for more before it ends
    state_->over = false;
  }
  join();
  has_thread_ = start_thread(thread_, "belfry-gzip", [state = state_] { state->compress_all(); });
  if (!has_thread_) state_->over = true;  // at the next chance
}

void LogArchive::State::compress_all() {
  // Of this thread alone, as Linux has it (setpriority(2), C library/kernel differences).
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lowest_priority);
  while (const OwnedFd from = next_to_compress()) {
    const std::string name = unfinished();
    ::unlink(name.c_str());
    const OwnedFd into(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
    const int error = into ? gzip(from.get(), into.get(), given_up) : errno;
    if (into && error == 0) {
      struct stat status{};
      if (::fstat(from.get(), &status) == 0) {  // as old as its lines
        const timespec times[2] = {status.st_atim, status.st_mtim};
        ::futimens(into.get(), times);
        [[maybe_unused]] const int kept = ::fchmod(into.get(), status.st_mode & 0777U);
      }
    }
    finish(error);
    if (error != 0) return;
  }
}

OwnedFd LogArchive::State::next_to_compress() {
  const std::scoped_lock lock(mutex);
  for (std::uint32_t number = 1; number < rules.max_files && !given_up; ++number) {
    OwnedFd file(::open(plain(number).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    compressing = number;
    return file;
  }
  over = true;
  return {};
}

// Only here it is known which number the file has by now, or that it is gone.
void LogArchive::State::finish(int error) {
  const std::scoped_lock lock(mutex);
  const std::uint32_t number = std::exchange(compressing, 0);
  const bool is_there = number > 0 && number < rules.max_files && exists(plain(number));
  if (error != 0) over = true;  // no room, or no time: at the next rotation
  if (error != 0 || !is_there || ::rename(unfinished().c_str(), packed(number).c_str()) != 0)
    ::unlink(unfinished().c_str());
  else
    ::unlink(plain(number).c_str());
}

}  // namespace belfry::system
