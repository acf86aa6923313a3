#include "system/path_watch.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "channels/asio.hpp"
#include "channels/loop.hpp"
#include "system/path_walk.hpp"

namespace belfry::system {

namespace {

constexpr std::uint32_t of_names = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
constexpr std::uint32_t of_contents =
    IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD;

Error why_not(int errnum, const std::string& path) {
  if (errnum == ENOSPC)
    return Error::failed("this user's inotify watches are used up: raise fs.inotify.max_user_watches");
  if (errnum == EMFILE)
    return Error::failed("no inotify instance or descriptor is left: raise fs.inotify.max_user_instances");
  return Error::from_errno(errnum, "cannot watch " + path);
}

}  // namespace

// Shared with Asio's pending handlers, so that either may go first.
struct PathWatches::State final : Callback, std::enable_shared_from_this<State> {
  State(Loop& l, int fd) : loop(l), events(l.io(), fd), mounts(l.io()) {}

  void arm() {
    if (std::exchange(is_armed, true)) return;
    events.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](const error_code& error) {
                        self->is_armed = false;
                        if (!error) self->wake();
                      });
  }
  void wake() {
    if (events.is_open() && !linked()) loop.wake_from_io(*this);
  }

  // The kernel tells of a change of what is mounted as an exceptional condition. Where there is no /proc,
  // mounts go unseen.
  void listen_to_mounts() {
    const int fd = ::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    mounts.assign(fd);
    arm_mounts();
  }
  void arm_mounts() {
    mounts.async_wait(asio::posix::stream_descriptor::wait_error,
                      [self = shared_from_this()](const error_code& error) {
                        if (error || !self->mounts.is_open()) return;
                        self->mounts_changed = true;
                        self->arm_mounts();
                        self->wake();
                      });
  }

  // One read a turn, so that a busy directory keeps nobody else waiting.
  void run() noexcept override {
    alignas(inotify_event) static std::array<char, std::size_t{16} << 10> buffer;
    if (std::exchange(mounts_changed, false)) tell_all();
    const ssize_t got = ::read(events.native_handle(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      take(*event, event->len == 0 ? std::string_view() : std::string_view(event->name));
    }
    arm();
  }

  void take(const inotify_event& event, std::string_view name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return tell_all();
    const auto found = watches.find(event.wd);
    if (found == watches.end()) return;
    const bool about_itself = name.empty();
    for (PathWatch* watch : found->second) {
      const auto matters = [&](const PathWatch::Place& place) {
        return place.number == event.wd && (about_itself || place.name.empty() || place.name == name);
      };
      if (std::ranges::any_of(watch->places_, matters)) watch->listener_.on_path_changed();
    }
    if ((event.mask & IN_IGNORED) != 0) watches.erase(found);
  }

  void tell_all() {
    for (PathWatch* watch : all) watch->listener_.on_path_changed();
  }

  [[nodiscard]] int add(const std::string& path, std::uint32_t mask, PathWatch& watch) {
    const int number = ::inotify_add_watch(events.native_handle(), path.c_str(), mask);
    if (number < 0) return -errno;
    watches[number].insert(&watch);
    return number;
  }

  void remove(int number, PathWatch& watch) {
    const auto found = watches.find(number);
    if (found == watches.end()) return;
    found->second.erase(&watch);
    if (!found->second.empty()) return;
    watches.erase(found);
    ::inotify_rm_watch(events.native_handle(), number);
  }

  Loop& loop;
  asio::posix::basic_stream_descriptor<Executor> events;
  asio::posix::basic_stream_descriptor<Executor> mounts;
  bool mounts_changed = false;
  bool is_armed = false;
  std::unordered_map<int, std::unordered_set<PathWatch*>> watches;  // by the kernel's number
  std::unordered_set<PathWatch*> all;
};

PathWatches::PathWatches(Loop& loop) : loop_(loop) {}

PathWatches::~PathWatches() {
  if (!state_) return;
  state_->unlink();
  error_code ignored;
  state_->events.close(ignored);
  state_->mounts.close(ignored);
}

Result<PathWatches::State*> PathWatches::state() {
  if (!state_) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return std::unexpected(why_not(errno, "files"));
    state_ = std::make_shared<State>(loop_, fd);
    state_->arm();
    state_->listen_to_mounts();
  }
  return state_.get();
}

PathWatch::PathWatch(PathWatches& all, std::string path, PathDepth depth, PathListener& listener)
    : all_(all), path_(std::move(path)), depth_(depth), listener_(listener) {}

PathWatch::~PathWatch() {
  if (!all_.state_) return;
  all_.state_->all.erase(this);
  let_go(std::exchange(places_, {}));
}

void PathWatch::let_go(const std::vector<Place>& places) {
  for (const Place& one : places) all_.state_->remove(one.number, *this);
}

// What stays watched is never let go in between: a kernel's number that is given back loses its events.
class PathWatch::Walk final : public PathVisitor {
 public:
  Walk(PathWatch& watch, PathWatches::State& state) : watch_(watch), state_(state) {}

  void at_directory(const std::string& directory, const std::string& name) override {
    add(directory, of_names, name);
  }
  void at_file(const std::string& file) override {
    if (watch_.depth_ == PathDepth::contents) add(file, of_contents, {});
  }
  void at_untold(std::string_view kind) override {
    note(Error::failed("changes on " + std::string(kind) + " are not told"));
  }

  std::vector<Place> places;
  std::optional<Error> lacks;

 private:
  void add(const std::string& path, std::uint32_t mask, const std::string& name) {
    const int number = state_.add(path, mask, watch_);
    if (number >= 0) return places.push_back({.number = number, .name = name});
    if (number != -ENOENT && number != -ENOTDIR) note(why_not(-number, path));  // gone: its parent tells
  }
  void note(Error why) {
    if (!lacks) lacks = std::move(why);
  }

  PathWatch& watch_;
  PathWatches::State& state_;
};

Result<void> PathWatch::renew() {
  const auto state = all_.state();
  if (!state) return std::unexpected(state.error());
  (*state)->all.insert(this);
  Walk walk(*this, **state);
  walk_path(path_, walk);
  std::swap(places_, walk.places);
  std::erase_if(walk.places, [this](const Place& old) {
    return std::ranges::find(places_, old.number, &Place::number) != places_.end();
  });
  let_go(walk.places);
  if (walk.lacks) return std::unexpected(std::move(*walk.lacks));
  return {};
}

}  // namespace belfry::system
