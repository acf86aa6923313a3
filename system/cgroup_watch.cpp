#include "system/cgroup_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <string>

#include "channels/asio.hpp"
#include "channels/loop.hpp"

namespace belfry::system {

// Shared with Asio's pending handler, so that either may go first.
struct CgroupWatch::State final : Callback, std::enable_shared_from_this<State> {
  State(Loop& l, int fd, CgroupListener& told) : loop(l), descriptor(l.io(), fd), listener(&told) {}

  void arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                            if (error || !self->descriptor.is_open()) return;
                            self->loop.wake_from_io(*self);
                            self->arm();
                          });
  }

  void run() noexcept override {
    std::array<char, 4096> events;
    while (::read(descriptor.native_handle(), events.data(), events.size()) > 0) {
    }
    if (listener != nullptr) listener->on_cgroup_changed();
  }

  Loop& loop;
  asio::posix::basic_stream_descriptor<Executor> descriptor;
  CgroupListener* listener;
};

CgroupWatch::CgroupWatch(Loop& loop, CgroupListener& listener) : loop_(loop), listener_(listener) {}

CgroupWatch::~CgroupWatch() {
  if (!state_) return;
  state_->listener = nullptr;
  state_->unlink();
  error_code ignored;
  state_->descriptor.close(ignored);
}

int CgroupWatch::add(std::string_view directory) {
  if (!state_) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return -1;
    state_ = std::make_shared<State>(loop_, fd, listener_);
    state_->arm();
  }
  const std::string file = std::string(directory) + "/cgroup.events";
  return ::inotify_add_watch(state_->descriptor.native_handle(), file.c_str(), IN_MODIFY);
}

void CgroupWatch::remove(int number) {
  if (number >= 0 && state_) ::inotify_rm_watch(state_->descriptor.native_handle(), number);
}

}  // namespace belfry::system
