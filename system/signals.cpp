#include "system/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "channels/asio.hpp"
#include "channels/loop.hpp"

namespace belfry::system {

namespace {

int open_signalfd() {
  int fd = ::signalfd(-1, &SignalBlock::signals(), SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot make a signalfd");
  return fd;
}

}  // namespace

// Shared with Asio's pending handler, so that either may go first.
struct Signals::State final : Callback, std::enable_shared_from_this<State> {
  explicit State(Loop& l) : loop(l), descriptor(l.io(), open_signalfd()) {}

  void arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                            if (self->in_background) self->loop.end_background_wait();
                            if (error || !self->descriptor.is_open()) return;
                            self->loop.wake_from_io(*self);
                            self->arm();
                          });
    if (in_background) loop.begin_background_wait();
  }

  void run() noexcept override {
    std::array<signalfd_siginfo, 32> batch;
    for (;;) {
      ssize_t got = ::read(descriptor.native_handle(), batch.data(), sizeof batch);
      if (got <= 0) break;
      std::size_t count = static_cast<std::size_t>(got) / sizeof batch[0];
      for (std::size_t i = 0; i < count; ++i) accept(batch[i]);
      if (count < batch.size()) break;
    }
    deliver();
  }

  void accept(const signalfd_siginfo& info) {
    SignalEvent event{static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid), info.ssi_uid,
                      info.ssi_code == SI_KERNEL};
    if (event.number != SIGCHLD) {
      waiting.push_back(event);
    } else if (child_listener != nullptr) {
      child_listener->on_signal(event);
    } else {
      child_missed = true;
    }
  }

  void deliver() {
    if (child_missed && child_listener != nullptr) {
      child_missed = false;
      child_listener->on_signal({.number = SIGCHLD});
    }
    while (listener != nullptr && !waiting.empty()) {
      SignalEvent event = waiting.front();
      waiting.erase(waiting.begin());
      listener->on_signal(event);
    }
  }

  void request_delivery() {
    if (!linked()) loop.wake(*this);
  }

  Loop& loop;
  asio::posix::basic_stream_descriptor<Executor> descriptor;
  SignalListener* listener = nullptr;
  SignalListener* child_listener = nullptr;
  std::vector<SignalEvent> waiting;
  bool child_missed = false;
  bool in_background = false;
};

Signals::Signals(Loop& loop) : state_(std::make_shared<State>(loop)) { state_->arm(); }

Signals::~Signals() {
  state_->listener = state_->child_listener = nullptr;
  state_->unlink();
  error_code ignored;
  state_->descriptor.close(ignored);
}

void Signals::set_listener(SignalListener* listener) {
  state_->listener = listener;
  if (!state_->waiting.empty()) state_->request_delivery();
}

void Signals::wait_in_background() {
  if (std::exchange(state_->in_background, true)) return;
  state_->loop.begin_background_wait();
}

void Signals::set_child_listener(SignalListener* listener) {
  state_->child_listener = listener;
  if (state_->child_missed) state_->request_delivery();
}

}  // namespace belfry::system
