#include "channels/task_dump.hpp"

#include <cstdio>
#include <unordered_map>

#include "channels/context.hpp"
#include "channels/detail/root_task.hpp"
#include "channels/detail/wait_inquiry.hpp"
#include "channels/loop.hpp"

namespace belfry {

namespace {

std::string seconds_text(Duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", std::chrono::duration<double>(time).count());
  return text;
}

// From the coroutine that waits up to the task that was spawned. Only tasks wait (detail/root_task.hpp).
const detail::RootTask* root_of(std::coroutine_handle<> leaf) {
  const auto* core = &std::coroutine_handle<detail::PromiseCore>::from_address(leaf.address()).promise();
  while (!core->is_root()) {
    void* frame = core->result_slot()->continuation.address();
    core = &std::coroutine_handle<detail::PromiseCore>::from_address(frame).promise();
  }
  return static_cast<const detail::RootTask*>(core);
}

}  // namespace

std::string detail::describe_moment(const Loop& loop, TimePoint when) {
  const Duration left = saturating_subtract(when, loop.now());
  if (left <= Duration::zero()) return "a moment that has passed";
  return when == TimePoint::max() ? "for ever" : "a moment in " + seconds_text(left);
}

void detail::WaitInquiry::walk(Loop& loop, CancelList& roots) {
  const Error nothing;
  CancelRound round{.loop = loop, .cause = nothing, .pending = {}, .inquiry = this};
  lists_.push_back(&roots);
  while (!lists_.empty()) {
    CancelList& list = *lists_.back();
    lists_.pop_back();
    for (CancelLink* link = list.empty() ? nullptr : &list.front(); link != nullptr; link = list.after(*link))
      link->fire()(*link, round);
  }
}

// What a loop lets nobody else see.
class TaskDump {
 public:
  explicit TaskDump(Loop& loop) : loop_(loop) {
    for (const detail::RootTask* task = loop.tasks_.first(); task != nullptr;
         task = loop.tasks_.after(*task)) {
      place_.emplace(task, tasks_.size());
      tasks_.push_back({.name = task->name(), .kind = TaskState::Kind::running, .what = {}});
    }
  }

  std::vector<TaskState> take() {
    waiting();
    for (const detail::WaiterList* list : {&loop_.ready_, &loop_.later_, &loop_.current_}) ready(*list);
    starting();
    return std::move(tasks_);
  }

 private:
  TaskState* find(const detail::RootTask* root) {
    const auto found = place_.find(root);
    return found == place_.end() ? nullptr : &tasks_[found->second];
  }
  void waiting() {
    detail::WaitInquiry inquiry;
    inquiry.walk(loop_, loop_.root_contexts_);
    const auto now = static_cast<std::uint32_t>(loop_.now().time_since_epoch().count() >> 24);
    for (const auto& answer : inquiry.answers()) {
      TaskState* task = find(root_of(answer.leaf));
      if (task == nullptr) continue;
      task->kind = TaskState::Kind::waits;
      task->what = answer.what;
      task->for_long = Duration(std::int64_t{now - answer.since} << 24);
    }
  }
  void ready(const detail::WaiterList& list) {
    for (const detail::Waiter* waiter = list.first(); waiter != nullptr; waiter = list.after(*waiter)) {
      TaskState* task = waiter->handle ? find(root_of(waiter->handle)) : nullptr;
      if (task != nullptr) mark(*task, TaskState::Kind::ready);
    }
  }
  void starting() {
    const detail::RootTask* task = loop_.first_unstarted_;
    for (; task != nullptr; task = loop_.tasks_.after(*task)) mark(*find(task), TaskState::Kind::starts);
  }
  static void mark(TaskState& task, TaskState::Kind kind) {
    task = {.name = task.name, .kind = kind, .what = {}};
  }

  Loop& loop_;
  std::vector<TaskState> tasks_;
  std::unordered_map<const detail::RootTask*, std::size_t> place_;
};

std::vector<TaskState> task_dump(Loop& loop) { return TaskDump(loop).take(); }

std::string to_text(const TaskState& task) {
  std::string text(task.name);
  switch (task.kind) {
    case TaskState::Kind::starts: return text + ": has not started yet";
    case TaskState::Kind::ready: return text + ": is about to go on";
    case TaskState::Kind::running: return text + ": runs";
    case TaskState::Kind::waits: break;
  }
  return text + ": waits since " + seconds_text(task.for_long) + " for " + task.what;
}

std::string to_text(const std::vector<TaskState>& tasks) {
  std::string text;
  for (const TaskState& task : tasks) text += to_text(task) + '\n';
  return text;
}

}  // namespace belfry
