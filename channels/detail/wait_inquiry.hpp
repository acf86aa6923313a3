// What a wait answers when it is asked what it waits for, and since when.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>
#include <vector>

#include "channels/detail/cancel_link.hpp"
#include "channels/time/time.hpp"

namespace belfry::detail {

// Given to every link of every context, in a CancelRound. Owner: task_dump(). Lifecycle: one walk.
class WaitInquiry {
 public:
  struct Answer {
    std::coroutine_handle<> leaf;  // the coroutine that waits
    std::string what;
    std::uint32_t since;  // Loop::stamp
  };

  void answer(std::coroutine_handle<> leaf, std::string what, std::uint32_t since) {
    answers_.push_back({leaf, std::move(what), since});
  }
  // A child context: its links are asked as well, later, so that a deep tree needs no deep stack.
  void go_on_with(CancelList& links) { lists_.push_back(&links); }

  void walk(Loop& loop, CancelList& roots);
  const std::vector<Answer>& answers() const noexcept { return answers_; }

 private:
  std::vector<Answer> answers_;
  std::vector<CancelList*> lists_;
};

// "bell 'ready'"
inline std::string named(const char* kind, const char* name) { return std::string(kind) + " '" + name + "'"; }

// "a moment in 1.50 s", "a moment that has passed"
std::string describe_moment(const Loop& loop, TimePoint when);

}  // namespace belfry::detail
