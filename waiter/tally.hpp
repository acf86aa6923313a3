// What has become of each thing that is waited for, and whether that decides the whole wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channels/wakeup.hpp"
#include "client/failure.hpp"

namespace belfry::waiter {

using client::Failure;

struct Awaited {
  enum class State : std::uint8_t { waiting, met, hopeless };
  std::string name;
  std::string why;                    // not yet: the last error; may be empty
  std::vector<std::string> services;  // of a running belfry, where it is those
  State state = State::waiting;
};

// Owner: the wait. Lifecycle: everything is added first, then told of; once decided it stays so.
class Tally {
 public:
  Tally(Loop& loop, bool any) : decided_(loop, "decided"), any_(any) {}

  std::size_t add(std::string name, std::vector<std::string> services = {});
  void not_yet(std::size_t index, std::string why) { all_[index].why = std::move(why); }
  void met(std::size_t index);
  // It will never be so. The first failure is the outcome, if it comes to that.
  void hopeless(std::size_t index, Failure why);
  // The question itself is wrong: that ends the wait, whatever else is waited for.
  void refused(Failure why);
  void interrupted(int signo);

  // Notified once it is decided.
  [[nodiscard]] Wakeup& decided() { return decided_; }
  [[nodiscard]] bool is_so() const;
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] int signal() const { return signal_; }
  [[nodiscard]] const std::vector<Awaited>& all() const { return all_; }

 private:
  Wakeup decided_;
  bool any_;
  std::size_t met_ = 0, hopeless_ = 0;
  int signal_ = 0;
  std::optional<Failure> first_hopeless_, failure_;
  std::vector<Awaited> all_;
};

}  // namespace belfry::waiter
