#include "channels/wait_group.hpp"

#include "channels/spawn.hpp"

namespace belfry {

WaitGroup::~WaitGroup() {
  place_.assert_quiet("destroy wait group");
  errors_.tell(*place_.loop, "destroy wait group", place_.name);
  of_this_round_.tell(*place_.loop, "destroy wait group", place_.name);
  if (count_ == 0 || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("destroy wait group", place_.name, "its count is not zero");
}

void WaitGroup::done() noexcept {
  if (count_ == 0) detail::die("count down wait group", place_.name, "its count is zero already");
  if (--count_ != 0) return;
  ++zeros_;
  if (!errors_.empty() || !of_this_round_.empty()) [[unlikely]]
    end_round();
  place_.loop->wake_all(place_.waiters);
}

void WaitGroup::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  if (thrown_ == Thrown::told_at_once) {
    place_.loop->unread_error("go on after task", name, "it threw",
                              detail::what_was_thrown(std::move(thrown)));
    return;
  }
  of_this_round_.put(error_from_exception(name, std::move(thrown)));
}

void WaitGroup::end_round() noexcept {
  errors_.forget_what_was_read();
  if (!of_this_round_.empty()) errors_.put(of_this_round_.take());
}

void spawn(WaitGroup& group, std::string_view name, Task<void> task) {
  group.add();
  spawn_for(group, *group.place_.loop, name, std::move(task));
}

}  // namespace belfry
