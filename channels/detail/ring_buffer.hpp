// A bounded queue in memory that is allocated once.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace belfry::detail {

// Owner: the primitive. Lifecycle: the primitive's. T need not be default-constructible.
template <class T>
class RingBuffer {
 public:
  explicit RingBuffer(std::size_t capacity)
      : slots_(capacity == 0 ? nullptr : std::make_unique_for_overwrite<Slot[]>(capacity)),
        capacity_(capacity) {}
  ~RingBuffer() {
    while (!empty()) (void)pop();
  }
  RingBuffer(const RingBuffer&) = delete;
  RingBuffer& operator=(const RingBuffer&) = delete;

  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == capacity_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Precondition: not full.
  template <class U>
  void push(U&& value) {
    std::size_t index = first_ + size_;
    if (index >= capacity_) index -= capacity_;
    new (slots_[index].bytes) T(std::forward<U>(value));
    ++size_;
  }
  // Precondition: not empty.
  T pop() {
    T* item = std::launder(reinterpret_cast<T*>(slots_[first_].bytes));
    T value = std::move(*item);
    item->~T();
    if (++first_ == capacity_) first_ = 0;
    --size_;
    return value;
  }

 private:
  struct Slot {
    alignas(T) std::byte bytes[sizeof(T)];
  };
  std::unique_ptr<Slot[]> slots_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace belfry::detail
