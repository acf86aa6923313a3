#include "channels/wait_group.hpp"

#include "channels/spawn.hpp"

namespace belfry {

WaitGroup::~WaitGroup() {
  place_.assert_quiet("destroy wait group");
  if (errors_ != nullptr) [[unlikely]]
    tell();
  if (count_ == 0 || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("destroy wait group", place_.name, "its count is not zero");
}

void WaitGroup::done() noexcept {
  if (count_ == 0) detail::die("count down wait group", place_.name, "its count is zero already");
  if (--count_ != 0) return;
  ++zeros_;
  if (errors_ != nullptr) [[unlikely]]
    end_round();
  place_.loop->wake_all(place_.waiters);
}

void WaitGroup::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  if (thrown_ == Thrown::told_at_once) {
    place_.loop->unread_error("go on after task", name, "it threw",
                              detail::what_was_thrown(std::move(thrown)));
    return;
  }
  if (errors_ == nullptr) errors_ = std::make_unique<Errors>();
  errors_->of_this_round.put(error_from_exception(name, std::move(thrown)));
}

void WaitGroup::end_round() noexcept {
  errors_->of_earlier_rounds.forget_what_was_read();
  if (!errors_->of_this_round.empty()) errors_->of_earlier_rounds.put(errors_->of_this_round.take());
}

void WaitGroup::tell() noexcept {
  for (detail::TaskErrors* errors : {&errors_->of_earlier_rounds, &errors_->of_this_round})
    errors->tell(*place_.loop, "destroy wait group", place_.name);
}

void spawn(WaitGroup& group, std::string_view name, Task<void> task) {
  group.add();
  spawn_for(group, *group.place_.loop, name, std::move(task));
}

}  // namespace belfry
