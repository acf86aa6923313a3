#include "channels/spawn.hpp"

#include <exception>
#include <string>

#include "channels/detail/die.hpp"

namespace belfry {

namespace {

std::string describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

// Answers for tasks that were left to the loop.
class LoopOwner final : public TaskOwner {
 public:
  void task_threw(std::string_view name, std::exception_ptr thrown) noexcept override {
    detail::die("go on after task", name, "it threw and nobody joins it: " + describe(thrown));
  }
  void task_done() noexcept override {}
};

LoopOwner loop_owner;

}  // namespace

std::coroutine_handle<> detail::RootTask::handle() noexcept {
  return std::coroutine_handle<TaskPromise<void>>::from_promise(static_cast<TaskPromise<void>&>(*this));
}

Error error_from_exception(std::string_view name, std::exception_ptr thrown) {
  return Error(Error::Kind::failed, "task '" + std::string(name) + "' threw: " + describe(thrown));
}

void spawn_for(TaskOwner& owner, Loop& loop, std::string_view name, Task<void> task) {
  detail::RootTask& root = task.release().promise();
  root.make_root(name, &owner);
  loop.adopt(root);
}

TaskHandle::TaskHandle(Loop& loop, std::string_view name, Task<void> task)
    : place_(loop, "task handle"), name_(name) {
  detail::RootTask& root = task.release().promise();
  task_ = &root;
  root.make_root(name, this);
  loop.adopt(root);
}

TaskHandle::TaskHandle(TaskHandle&& other) noexcept
    : place_(*other.place_.loop, other.place_.name),
      name_(other.name_),
      task_(std::exchange(other.task_, nullptr)),
      error_(std::move(other.error_)) {
  other.place_.assert_quiet("move");
  if (task_ != nullptr) task_->set_owner(this);
}

TaskHandle::~TaskHandle() {
  place_.assert_quiet("destroy");
  if (done() || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("drop the handle of task", name_, "it still runs: join it, or call leave_to_loop()");
}

void TaskHandle::leave_to_loop() && noexcept {
  place_.assert_quiet("leave to the loop");
  if (task_ != nullptr) std::exchange(task_, nullptr)->set_owner(&loop_owner);
}

void TaskHandle::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  error_ = error_from_exception(name, std::move(thrown));
}

void TaskHandle::task_done() noexcept {
  task_ = nullptr;
  place_.loop->wake_all(place_.waiters);
}

TaskHandle spawn(Loop& loop, std::string_view name, Task<void> task) {
  return TaskHandle(loop, name, std::move(task));
}

}  // namespace belfry
