#include "channels/mailbox.hpp"

#include <optional>

#include "channels/asio.hpp"
#include "channels/loop.hpp"

namespace belfry {

// `open` is read and written in the loop's thread only; other threads touch nothing but the executor.
struct Mailbox::State {
  explicit State(Executor e) : executor(e), work(e) {}
  Executor executor;
  std::optional<asio::executor_work_guard<Executor>> work;
  bool open = true;
};

Mailbox::Mailbox(Loop& loop) : state_(std::make_shared<State>(loop.executor())) {}

Mailbox::~Mailbox() {
  state_->open = false;
  state_->work.reset();
}

void Mailbox::post(std::move_only_function<void()> callback) const {
  asio::post(state_->executor, [state = state_, callback = std::move(callback)]() mutable {
    if (state->open) callback();
  });
}

}  // namespace belfry
