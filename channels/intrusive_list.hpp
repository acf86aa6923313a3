// A doubly linked list whose links are part of its members, and know how to leave on their own.
//
// The problem: whoever waits has to stand in a queue, and may leave it from anywhere in it, at any moment,
// also because its frame is destroyed. A queue of pointers would allocate for each wait, would have to be
// searched by whoever leaves, and would point at what is gone.
//
// Here the link is a base of the member. Entering and leaving are O(1) and allocate nothing; a member that is
// destroyed has left; and a whole list moves into another one in O(1), however long it is. It is what every
// waiting list of this library and the loop's ready list are made of, and it is of use outside as well.
#pragma once

#include "channels/detail/die.hpp"

namespace belfry {

namespace detail {
class CancelLink;
}

// Owner: the object it is a base of. Lifecycle: unlinked, linked, unlinked…; unlinks itself when
// destroyed. Cancellation: unlink() from whatever list it is in, without knowing which.
class IntrusiveLink {
 public:
  IntrusiveLink() = default;
  IntrusiveLink(const IntrusiveLink&) = delete;
  IntrusiveLink& operator=(const IntrusiveLink&) = delete;
  ~IntrusiveLink() { unlink(); }

  bool linked() const noexcept { return next_ != nullptr; }

  void unlink() noexcept {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

 private:
  template <class T>
  friend class IntrusiveList;
  friend class detail::CancelLink;

  IntrusiveLink* prev_ = nullptr;
  IntrusiveLink* next_ = nullptr;
};

// A list of T, which derives from IntrusiveLink. Owns nothing.
template <class T>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { head_.prev_ = head_.next_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    clear();
    head_.prev_ = head_.next_ = nullptr;
  }

  bool empty() const noexcept { return head_.next_ == &head_; }
  T& front() noexcept { return static_cast<T&>(*head_.next_); }
  T& back() noexcept { return static_cast<T&>(*head_.prev_); }

  // The link after `item`, or nullptr at the end.
  T* after(T& item) noexcept {
    IntrusiveLink* next = static_cast<IntrusiveLink&>(item).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }
  const T* first() const noexcept { return empty() ? nullptr : static_cast<const T*>(head_.next_); }
  const T* after(const T& item) const noexcept {
    const IntrusiveLink* next = static_cast<const IntrusiveLink&>(item).next_;
    return next == &head_ ? nullptr : static_cast<const T*>(next);
  }

  void push_back(T& item) noexcept {
    IntrusiveLink& link = item;
    if (link.linked()) [[unlikely]]
      detail::die_in_two_lists();
    link.prev_ = head_.prev_;
    link.next_ = &head_;
    head_.prev_->next_ = &link;
    head_.prev_ = &link;
  }

  // Takes the first one out. Precondition: not empty.
  T& pop_front() noexcept {
    T& item = front();
    static_cast<IntrusiveLink&>(item).unlink();
    return item;
  }

  // Appends all of `other`, which becomes empty: O(1) however many there are.
  void splice_back(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    IntrusiveLink* first = other.head_.next_;
    IntrusiveLink* last = other.head_.prev_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
    other.head_.prev_ = other.head_.next_ = &other.head_;
  }

  void clear() noexcept {
    while (!empty()) head_.next_->unlink();
  }

 private:
  IntrusiveLink head_;
};

}  // namespace belfry
