// What the connections of one address share: places, and how much of what they may take together.
//
// Each address has its own, so that a crowd at the TCP address leaves the control socket alone. Nobody knows
// who asks for the health before he has asked; so a new connection always finds a place. Whoever only waits
// for an event is bounded to a part of the places, and all others are given up for a new one: first those
// between two requests, then those in the middle of one, then those who do not read their answer, then those
// who follow a stream, and can take it up again; the oldest of each first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "channels/loop.hpp"
#include "channels/wakeup.hpp"
#include "daemon/http/wire/eviction_list.hpp"

namespace belfry::daemon::http {

// Owner: Server::State. Lifecycle: longer than its sessions.
struct Admission {
  explicit Admission(Loop& loop) : room(loop, "http room") {}

  // Tells somebody to go. False: whoever is here waits for an event or is being answered.
  bool make_room() {
    return idle.give_up_first() || half.give_up_first() || unread.give_up_first() ||
           streaming.give_up_first();
  }
  // Somebody can be given up who could not a moment ago.
  void can_make_room() {
    if (crowded) room.notify();
  }

  std::size_t open = 0;
  bool crowded = false;    // somebody waits outside
  Wakeup room;             // a connection was closed, or may be
  EvictionList idle;       // between two requests
  EvictionList half;       // in the middle of a request
  EvictionList unread;     // with an answer that is not taken; who took some last is the last
  EvictionList streaming;  // who follow what happens
  std::size_t waits = 0, wait_names = 0, commands = 0, streams = 0;
};

// A part of the places of an address, and at least one.
inline bool is_full(std::size_t taken, std::size_t most, std::size_t places) {
  return taken >= std::min(most, std::max<std::size_t>(1, places));
}

// Counts somebody for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count, std::size_t by = 1) : count_(&count), by_(by) { count += by; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)), by_(other.by_) {}
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_ != nullptr) *count_ -= by_;
  }

 private:
  std::size_t* count_;
  std::size_t by_;
};

}  // namespace belfry::daemon::http
