#include "channels/wait_group.hpp"

#include "channels/spawn.hpp"

namespace belfry {

WaitGroup::~WaitGroup() {
  place_.assert_quiet("destroy wait group");
  if (count_ == 0 || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("destroy wait group", place_.name, "its count is not zero");
}

void WaitGroup::done() noexcept {
  if (count_ == 0) detail::die("count down wait group", place_.name, "its count is zero already");
  if (--count_ != 0) return;
  ++zeros_;
  place_.loop->wake_all(place_.waiters);
}

void WaitGroup::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  if (!error_) error_ = error_from_exception(name, std::move(thrown));
}

void spawn(WaitGroup& group, std::string_view name, Task<void> task) {
  group.add();
  spawn_for(group, *group.place_.loop, name, std::move(task));
}

}  // namespace belfry
