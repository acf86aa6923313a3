// What a task needs when it is the root of a chain of awaits: a place in the loop's census, a name,
// and somebody who is told how it ended.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

#include "channels/detail/name.hpp"
#include "channels/intrusive_list.hpp"

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

// A name in one word: user-space addresses have 48 bits, the length takes 15, and the last one says that it
// is a copy. What is part of the program is kept as it is, as detail/name.hpp says. Owner: the task.
// Lifecycle: empty, given, released with the frame.
class PackedName {
 public:
  PackedName() = default;
  explicit PackedName(std::string_view name) noexcept { give(name); }
  PackedName(PackedName&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
  PackedName& operator=(PackedName&&) = delete;
  ~PackedName() {
    if ((bits_ & copied) != 0) [[unlikely]]
      drop();
  }

  // Once.
  void give(std::string_view name) noexcept {
    if (is_part_of_program(name.data())) [[likely]] {
      pack(name.data(), name.size());
    } else {
      copy(name);
    }
  }
  std::string_view view() const noexcept {
    return {data(), static_cast<std::size_t>((bits_ >> 48) & longest)};
  }

 private:
  static constexpr std::uint64_t copied = std::uint64_t{1} << 63;
  static constexpr std::uint64_t longest = 0x7FFF;

  const char* data() const noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): this is the point of packing
    return reinterpret_cast<const char*>(bits_ & 0xFFFFFFFFFFFFU);
  }
  void pack(const char* data, std::size_t size) noexcept {
    bits_ = reinterpret_cast<std::uintptr_t>(data) |
            (static_cast<std::uint64_t>(size > longest ? longest : size) << 48);
  }
  void copy(std::string_view name) noexcept;
  void drop() noexcept;

  std::uint64_t bits_ = 0;
};

// The end of an awaited task that lives in the awaiting frame.
struct ResultSlotBase {
  std::coroutine_handle<> continuation;
};

// What every promise begins with: who is told, the one who awaits or (with the lowest bit set) the
// owner of a root. One word, and enough to walk from any task up to the root of its chain.
class PromiseCore {
 public:
  bool is_root() const noexcept { return (who_is_told_ & 1U) != 0; }

  // NOLINTBEGIN(performance-no-int-to-ptr,clang-analyzer-core.*): two in one word; set before it is read
  ResultSlotBase* result_slot() const noexcept { return reinterpret_cast<ResultSlotBase*>(who_is_told_); }
  TaskOwner* owner() const noexcept {
    return reinterpret_cast<TaskOwner*>(who_is_told_ & ~std::uintptr_t{1});
  }
  // NOLINTEND(performance-no-int-to-ptr,clang-analyzer-core.*)
  void set_result_slot(ResultSlotBase* slot) noexcept {
    who_is_told_ = reinterpret_cast<std::uintptr_t>(slot);
  }
  void set_owner(TaskOwner* owner) noexcept { who_is_told_ = reinterpret_cast<std::uintptr_t>(owner) | 1U; }

  // The owner of the task that this one is a part of. Every awaiting coroutine is a Task (task.hpp
  // sees to it), and all their promises begin with a PromiseCore at the same place of the frame.
  TaskOwner* owner_of_chain() const noexcept {
    const PromiseCore* core = this;
    while (!core->is_root()) {
      void* frame = core->result_slot()->continuation.address();
      core = &std::coroutine_handle<PromiseCore>::from_address(frame).promise();
    }
    return core->owner();
  }

 private:
  std::uintptr_t who_is_told_ = 0;
};

// The owner of the task that is about to wait: waiting for its own end, it would wait for ever.
template <std::derived_from<PromiseCore> Promise>
TaskOwner* owner_of(std::coroutine_handle<Promise> awaiting) noexcept {
  return awaiting.promise().owner_of_chain();
}

// Part of the promise of every Task<void>; in use only when it was spawned. 32 bytes.
// Owner: the loop, through the frame. Lifecycle: adopted, started, finished or destroyed.
// Cancellation: none of its own.
class RootTask : public PromiseCore, public IntrusiveLink {
 public:
  void make_root(std::string_view name, TaskOwner* owner) noexcept {
    name_.give(name);
    set_owner(owner);
  }
  std::string_view name() const noexcept { return name_.view(); }

  void report(std::exception_ptr thrown) noexcept;
  // Leaves the census, destroys the frame, tells the owner.
  void finish(std::coroutine_handle<> self) noexcept;
  std::coroutine_handle<> handle() noexcept;

 private:
  PackedName name_;
};

}  // namespace detail

}  // namespace belfry
