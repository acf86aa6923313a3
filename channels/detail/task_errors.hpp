// The errors of tasks, until whoever answers for the tasks has read them.
//
// The problem: a task that throws ends, and its owner may never ask how. The error then vanishes with the
// owner, and the program ends as if all had gone well.
#pragma once

#include <exception>
#include <string_view>
#include <utility>

#include "channels/error.hpp"

namespace belfry {
class Loop;
}

namespace belfry::detail {

// An exception as an error of kind failed: what().
Error what_was_thrown(std::exception_ptr thrown);

// Owner: the owner of the tasks, whose destructor calls tell(). Lifecycle: empty, unread, read; what comes in
// after a reading is unread. Several errors are one: of the kind of the first, with all their texts (of very
// many the first few KiB).
class TaskErrors {
 public:
  void put(Error error);
  // Empty when all went well. Who asks again gets the same.
  const Error& read() noexcept {
    unread_ = false;
    return error_;
  }
  bool unread() const noexcept { return unread_; }
  bool empty() const noexcept { return error_.empty(); }
  // Begins anew, unless there is something that nobody has read.
  void forget_what_was_read() noexcept {
    if (!unread_) error_ = {};
  }
  Error take() noexcept {
    unread_ = false;
    return std::exchange(error_, {});
  }
  // Says what was not read (Loop::on_unread_error): "cannot <what> '<name>': nobody has read …".
  void tell(Loop& loop, std::string_view what, std::string_view name) noexcept {
    if (unread_) [[unlikely]]
      tell_it(loop, what, name);
  }

 private:
  void tell_it(Loop& loop, std::string_view what, std::string_view name) noexcept;

  Error error_;
  bool unread_ = false;
};

}  // namespace belfry::detail
