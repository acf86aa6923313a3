// What one run publishes for others: the values that its bells carry.
//
// The problem: a dependent that was told a port must be able to rely on it. So a value is fixed by the first
// bell of the run that rings after it was published, and nothing new comes once all of them have rung.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/error.hpp"
#include "daemon/state/notify_refusal.hpp"

namespace belfry::daemon {

using OutputList = std::vector<std::pair<std::string, std::string>>;

// Owner: the incarnation, with which it goes. Bounded: config/model/output_reference.hpp has the limits of
// one value, and all of a run together may have `most_bytes`.
class Outputs {
 public:
  static constexpr std::size_t most_bytes = 16384;

  struct Output {
    std::string key;
    std::string value;
    bool fixed = false;
  };

  // Empty: taken. A value that has not been fixed yet is replaced.
  [[nodiscard]] std::optional<NotifyRefusal> set(std::string_view key, std::string_view value);
  // A bell rings: what is here stays. `last`: no further one will.
  void fix(bool last);
  // Of a service that belfry does not run: all that is known now, in the place of all that was. What is more
  // than fits is left out.
  void renew(OutputList all);
  // Why what the service has written down could not be read.
  void failed(Error why) { failure_ = std::move(why); }

  // Null: nothing was published under that name.
  [[nodiscard]] const Output* find(std::string_view key) const;
  [[nodiscard]] const std::vector<Output>& all() const { return all_; }  // in the order in which they came
  [[nodiscard]] const Error& failure() const { return failure_; }

 private:
  std::vector<Output> all_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  Error failure_;
};

}  // namespace belfry::daemon
