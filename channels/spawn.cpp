#include "channels/spawn.hpp"

#include <exception>
#include <string>

#include "channels/detail/die.hpp"

namespace belfry {

namespace {

// The root of the task, which it does not have twice.
detail::RootTask& root_of(Task<void>& task, std::string_view name) {
  if (!task) detail::die("spawn task", name, "it was moved away or awaited before");
  return task.release().promise();
}

}  // namespace

std::coroutine_handle<> detail::RootTask::handle() noexcept {
  return std::coroutine_handle<TaskPromise<void>>::from_promise(static_cast<TaskPromise<void>&>(*this));
}

Error error_from_exception(std::string_view name, std::exception_ptr thrown) {
  return Error(Error::Kind::failed, "task '" + std::string(name) +
                                        "' threw: " + detail::what_was_thrown(std::move(thrown)).text());
}

void spawn_for(TaskOwner& owner, Loop& loop, std::string_view name, Task<void> task) {
  detail::RootTask& root = root_of(task, name);
  root.make_root(name, &owner);
  loop.adopt(root);
}

TaskHandle::TaskHandle(Loop& loop, std::string_view name, Task<void> task)
    : place_(loop, "task handle"), name_(name) {
  detail::RootTask& root = root_of(task, name);
  task_ = &root;
  root.make_root(name, this);
  loop.adopt(root);
}

TaskHandle::TaskHandle(TaskHandle&& other) noexcept
    : place_(*other.place_.loop, other.place_.name),
      name_(other.name_.view()),
      task_(std::exchange(other.task_, nullptr)),
      moved_(std::exchange(other.moved_, true)),
      errors_(std::exchange(other.errors_, {})) {
  other.place_.assert_quiet("move");
  if (task_ != nullptr) task_->set_owner(this);
}

TaskHandle::~TaskHandle() {
  place_.assert_quiet("destroy");
  errors_.tell(*place_.loop, "drop the handle of task", name());
  if (done() || place_.loop->abandoned() || detail::abandoning) return;
  detail::die("drop the handle of task", name(), "it still runs: join it, or call leave_to_loop()");
}

void TaskHandle::refuse_moved(const char* what) const noexcept {
  if (moved_) detail::die(what, name(), "the handle was moved away");
}

Result<void> TaskHandle::result() {
  refuse_moved("ask for the result of task");
  if (!done())
    return std::unexpected(Error(Error::Kind::refused, "task '" + std::string(name()) + "' still runs"));
  if (errors_.empty()) return {};
  return std::unexpected(errors_.read());
}

void TaskHandle::leave_to_loop() && noexcept {
  place_.assert_quiet("leave to the loop");
  if (task_ != nullptr) std::exchange(task_, nullptr)->set_owner(&place_.loop->left_to_loop());
  errors_.tell(*place_.loop, "leave to the loop task", name());
}

void TaskHandle::task_threw(std::string_view name, std::exception_ptr thrown) noexcept {
  errors_.put(error_from_exception(name, std::move(thrown)));
}

void TaskHandle::task_done() noexcept {
  task_ = nullptr;
  place_.loop->wake_all(place_.waiters);
}

TaskHandle spawn(Loop& loop, std::string_view name, Task<void> task) {
  return TaskHandle(loop, name, std::move(task));
}

}  // namespace belfry
