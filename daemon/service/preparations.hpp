// What a start needs is made before its bell, in moments in which the loop has nothing else to do.
#pragma once

#include <deque>

#include "channels/loop.hpp"

namespace belfry::daemon {

// Who can get ready ahead of its start.
class Preparable {
 public:
  virtual void prepare_ahead() = 0;

 protected:
  ~Preparable() = default;
};

// One of those that wait is prepared whenever the loop has nothing else to do: a thousand services that
// wait for the first one must not delay the second one by what it costs to prepare them all.
//
// Owner: the supervisor. Lifecycle: as the services. Cancellation: none; what is no longer needed is skipped
// by who asked.
class Preparations {
 public:
  explicit Preparations(Loop& loop) : loop_(loop) {}

  // Once for each waiting: whoever starts first prepares itself.
  void ask(Preparable& one) {
    queue_.push_back(&one);
    if (queue_.size() == 1) go_on();
  }

 private:
  void go_on() {
    loop_.afterwards([this] {
      Preparable& one = *queue_.front();
      queue_.pop_front();
      const Work work(loop_.meter(), "preparing a start");
      one.prepare_ahead();
      if (!queue_.empty()) go_on();
    });
  }

  Loop& loop_;
  std::deque<Preparable*> queue_;
};

}  // namespace belfry::daemon
