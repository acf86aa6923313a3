// To be told of every change of a service's state.
#pragma once

#include "channels/intrusive_list.hpp"
#include "channels/wakeup.hpp"

namespace belfry::daemon {

// Clients decide how many of these there are (each name in a /v1/wait is one), so a service keeps them in a
// list that each leaves by itself, without being looked for.
// Owner: whoever waits, beside its Wakeup. Lifecycle: told from Service::watch() until it is destroyed.
class StateWatch final : public IntrusiveLink {
 public:
  explicit StateWatch(Wakeup& wakeup) : wakeup_(wakeup) {}
  void tell() { wakeup_.notify(); }

 private:
  Wakeup& wakeup_;
};

using StateWatches = IntrusiveList<StateWatch>;

}  // namespace belfry::daemon
