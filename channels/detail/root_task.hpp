// What a task needs when it is the root of a chain of awaits: a place in the loop's census, a name,
// and somebody who is told how it ended.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <string_view>

#include "channels/detail/list.hpp"

namespace belfry {

class Loop;

// Who answers for a spawned task. Both calls come from the task's last step; the second one comes
// after its frame is gone. Neither may resume anything or throw.
class TaskOwner {
 public:
  virtual void task_threw(std::string_view name, std::exception_ptr thrown) noexcept = 0;
  virtual void task_done() noexcept = 0;

 protected:
  TaskOwner() = default;
  TaskOwner(const TaskOwner&) = default;
  TaskOwner& operator=(const TaskOwner&) = default;
  ~TaskOwner() = default;
};

namespace detail {

struct VoidReceiver;

// A static string in one word: user-space addresses have 48 bits, the length takes the rest.
class PackedName {
 public:
  PackedName() = default;
  explicit PackedName(std::string_view name) noexcept
      : bits_(reinterpret_cast<std::uintptr_t>(name.data()) |
              (static_cast<std::uint64_t>(name.size() > 0xFFFF ? 0xFFFF : name.size()) << 48)) {}
  std::string_view view() const noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): this is the point of packing
    return {reinterpret_cast<const char*>(bits_ & 0xFFFFFFFFFFFFU), static_cast<std::size_t>(bits_ >> 48)};
  }

 private:
  std::uint64_t bits_ = 0;
};

// Part of the promise of every Task<void>; in use only when it was spawned. 32 bytes.
// Owner: the loop, through the frame. Lifecycle: adopted, started, finished or destroyed.
// Cancellation: none of its own.
class RootTask : public Link {
 public:
  bool is_root() const noexcept { return linked(); }

  VoidReceiver* receiver() const noexcept { return receiver_; }
  void set_receiver(VoidReceiver* receiver) noexcept { receiver_ = receiver; }

  void make_root(std::string_view name, TaskOwner* owner) noexcept {
    name_ = PackedName(name);
    owner_ = owner;
  }
  TaskOwner* owner() const noexcept { return owner_; }
  void set_owner(TaskOwner* owner) noexcept { owner_ = owner; }
  std::string_view name() const noexcept { return name_.view(); }

  void report(std::exception_ptr thrown) noexcept;
  // Leaves the census, destroys the frame, tells the owner.
  void finish(std::coroutine_handle<> self) noexcept;
  std::coroutine_handle<> handle() noexcept;

 private:
  union {
    VoidReceiver* receiver_ = nullptr;  // while awaited
    TaskOwner* owner_;                  // while a root
  };
  PackedName name_;
};

}  // namespace detail

}  // namespace belfry
