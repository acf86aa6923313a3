#include "channels/run_blocking.hpp"

#include <pthread.h>
#include <csignal>

#include <thread>

namespace belfry::detail {

namespace {

// A new thread inherits the mask of the one that makes it.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct HelperThread::State {
  std::stop_source stop;
  std::thread thread;
};

HelperThread::HelperThread(const Mailbox& mailbox, Ringer<> done,
                           std::move_only_function<void(std::stop_token)> work)
    : state_(std::make_unique<State>()) {
  const SignalsBlocked blocked;
  state_->thread =
      std::thread([&mailbox, done, token = state_->stop.get_token(), run = std::move(work)]() mutable {
        run(token);
        mailbox.post_ring(done);
      });
}

HelperThread::~HelperThread() {
  request_stop();
  state_->thread.join();
}

void HelperThread::request_stop() noexcept { state_->stop.request_stop(); }

}  // namespace belfry::detail
