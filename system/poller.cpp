#include "system/poller.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "channels/asio.hpp"
#include "channels/asio_bridge.hpp"
#include "channels/callback.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"

namespace belfry::system {

namespace {
constexpr int events_at_once = 128;
}

struct Poller::State final : Callback {
  State(Context& parent, int epoll)
      : handshake(parent, "poller"), descriptor(parent.loop().executor(), epoll), fd(epoll) {}
  // Asked twice: the second time comes a turn later, after what I/O brought.
  void run() noexcept override {
    due.clear();
    due.swap(closing);
    if (!due.empty()) handshake.context().loop().wake_afterwards(*this);
  }
  // An operation can only be taken out of the account when it has been started: a moment after its task
  // waits.
  struct TakeOut final : Callback {
    explicit TakeOut(State& s) : state(s) {}
    void run() noexcept override {
      if (!state.in_background || !state.waits || std::exchange(state.taken_out, true)) return;
      state.handshake.context().loop().begin_background_wait();
    }
    State& state;
  };
  void begin_wait() {
    waits = true;
    if (in_background) handshake.context().loop().wake(take_out);
  }
  void end_wait() {
    waits = false;
    take_out.unlink();
    if (std::exchange(taken_out, false)) handshake.context().loop().end_background_wait();
  }

  Handshake handshake;
  TakeOut take_out{*this};
  bool in_background = false;
  bool waits = false;
  bool taken_out = false;
  asio::posix::basic_stream_descriptor<Executor> descriptor;
  int fd;
  std::span<epoll_event> round;       // what is being delivered, so that a removed watcher can be struck out
  std::vector<OwnedFd> closing, due;  // out of the set already
};

Poller::Poller(Context& parent) : state_(std::make_unique<State>(parent, ::epoll_create1(EPOLL_CLOEXEC))) {
  spawn(state_->handshake, watch(state_->handshake.context(), *state_));
}

Poller::~Poller() = default;

Result<void> Poller::add(int fd, std::uint32_t events, PollWatcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  watcher.polled_ = fd;
  if (::epoll_ctl(state_->fd, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return std::unexpected(Error::from_errno(errno, "cannot watch a descriptor"));
}

void Poller::remove(int fd, PollWatcher& watcher) {
  ::epoll_ctl(state_->fd, EPOLL_CTL_DEL, fd, nullptr);
  forget(watcher);
}

void Poller::forget(PollWatcher& watcher) {
  for (epoll_event& event : state_->round) {
    if (event.data.ptr == &watcher) event.data.ptr = nullptr;
  }
}

void Poller::close(OwnedFd fd, PollWatcher& watcher) {
  remove(fd.get(), watcher);
  state_->closing.push_back(std::move(fd));
  if (!state_->linked()) loop().wake_afterwards(*state_);
}

Loop& Poller::loop() const { return state_->handshake.context().loop(); }

void Poller::wait_in_background() {
  state_->in_background = true;
  loop().wake(state_->take_out);
}

Task<Result<void>> Poller::stop() {
  Context patience(state_->handshake.context().loop());
  Result<void> stopped = co_await state_->handshake.stop(patience);
  co_return stopped;
}

// Level-triggered, it would be called again and again.
void Poller::take_out(State& state, const epoll_event& event) {
  Loop& loop = state.handshake.context().loop();
  std::string_view what = "descriptor events";
  if (event.data.ptr != nullptr) {  // else it has gone, and taken itself out
    auto& watcher = *static_cast<PollWatcher*>(event.data.ptr);
    what = watcher.what();
    ::epoll_ctl(state.fd, EPOLL_CTL_DEL, watcher.polled_, nullptr);
  }
  loop.unread_error("go on with", what, "it threw", error_from_exception(what, std::current_exception()));
}

Task<void> Poller::watch(Context& ctx, State& state) {
  std::array<epoll_event, events_at_once> events{};
  while (!ctx.cancelled()) {
    auto readable = state.descriptor.async_wait(asio::posix::descriptor_base::wait_read, asio::deferred);
    state.begin_wait();
    const auto [ec] = co_await async(ctx, std::move(readable));
    state.end_wait();
    if (ec) {
      if (!ctx.cancelled())
        ctx.loop().unread_error("watch", "descriptors", "epoll cannot be waited for",
                                Error::failed(ec.message()));
      break;
    }
    const int n = ::epoll_wait(state.fd, events.data(), events_at_once, 0);
    if (n <= 0) continue;
    state.round = std::span(events).first(static_cast<std::size_t>(n));
    for (const epoll_event& event : state.round) {
      if (event.data.ptr == nullptr) continue;
      auto& watcher = *static_cast<PollWatcher*>(event.data.ptr);
      const Work work(ctx.loop().meter(), watcher.what());
      try {
        watcher.on_event(event.events);
      } catch (...) {
        take_out(state, event);
      }
    }
    state.round = {};
    co_await yield_to_all(ctx.loop());  // those whom the events woke; then the set is asked again
  }
}

}  // namespace belfry::system
