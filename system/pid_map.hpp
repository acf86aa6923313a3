// pid → small value, without an allocation per entry: ten thousand children are 160 kB in one block.
//
// Open addressing with linear probing; a removal moves the followers back, so there are no tombstones
// and a map that saw a million processes is as fast as a new one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace belfry::system {

// T is default-constructible and cheap to move. Pointers into the map are valid until the next insert or
// erase.
template <class T>
class PidMap {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Room for `count` entries, so that as many inserts do not allocate.
  void reserve(std::size_t count) {
    while (slots_.size() * 3 < count * 4 + 4) grow();
  }

  [[nodiscard]] T* find(pid_t pid) {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = home(pid); slots_[i].pid != 0; i = next(i)) {
      if (slots_[i].pid == pid) return &slots_[i].value;
    }
    return nullptr;
  }

  // The entry for `pid`, made if it was not there. Precondition: pid > 0.
  T& operator[](pid_t pid) {
    if (T* found = find(pid)) return *found;
    reserve(size_ + 1);
    std::size_t i = home(pid);
    while (slots_[i].pid != 0) i = next(i);
    slots_[i].pid = pid;
    ++size_;
    return slots_[i].value;
  }

  bool erase(pid_t pid) {
    if (slots_.empty()) return false;
    std::size_t i = home(pid);
    while (slots_[i].pid != pid) {
      if (slots_[i].pid == 0) return false;
      i = next(i);
    }
    close_gap(i);
    --size_;
    return true;
  }

  // f(pid, T&) for each entry, in no order. f must not insert or erase.
  template <class F>
  void each(F&& f) {
    for (Slot& slot : slots_) {
      if (slot.pid != 0) f(slot.pid, slot.value);
    }
  }

 private:
  struct Slot {
    pid_t pid = 0;
    T value{};
  };

  [[nodiscard]] std::size_t home(pid_t pid) const {
    return (static_cast<std::uint32_t>(pid) * 0x9E3779B1U) & (slots_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.pid == 0) continue;
      std::size_t i = home(slot.pid);
      while (slots_[i].pid != 0) i = next(i);
      slots_[i] = std::move(slot);
    }
  }

  // An entry may move back into the gap only if its home does not lie behind the gap.
  void close_gap(std::size_t gap) {
    for (std::size_t i = next(gap); slots_[i].pid != 0; i = next(i)) {
      std::size_t mask = slots_.size() - 1;
      if (((i - home(slots_[i].pid)) & mask) < ((i - gap) & mask)) continue;
      slots_[gap] = std::move(slots_[i]);
      gap = i;
    }
    slots_[gap] = Slot{};
  }

  std::vector<Slot> slots_;  // a power of two, at most three quarters full
  std::size_t size_ = 0;
};

}  // namespace belfry::system
