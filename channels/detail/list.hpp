// Intrusive, circular, doubly linked list whose links know how to leave on their own.
//
// Everything that waits in this library is a link inside the waiting coroutine's frame: linking
// allocates nothing, a frame that is destroyed takes its links along, and a whole list of waiters
// moves to the loop's ready list in O(1).
#pragma once

#include <cassert>

namespace belfry::detail {

// Owner: the object it is a base of. Lifecycle: unlinked, linked, unlinked…; unlinks itself when
// destroyed. Cancellation: unlink() from whatever list it is in, without knowing which.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const noexcept { return next_ != nullptr; }

  void unlink() noexcept {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  friend class CancelLink;

  Link* prev_ = nullptr;
  Link* next_ = nullptr;
};

// A list of T, which derives from Link. Owns nothing.
template <class T>
class List {
 public:
  List() noexcept { head_.prev_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    clear();
    head_.prev_ = head_.next_ = nullptr;
  }

  bool empty() const noexcept { return head_.next_ == &head_; }
  T& front() noexcept { return static_cast<T&>(*head_.next_); }
  T& back() noexcept { return static_cast<T&>(*head_.prev_); }

  // The link after `item`, or nullptr at the end.
  T* after(T& item) noexcept {
    Link* next = static_cast<Link&>(item).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }
  const T* first() const noexcept { return empty() ? nullptr : static_cast<const T*>(head_.next_); }
  const T* after(const T& item) const noexcept {
    const Link* next = static_cast<const Link&>(item).next_;
    return next == &head_ ? nullptr : static_cast<const T*>(next);
  }

  void push_back(T& item) noexcept {
    Link& link = item;
    assert(!link.linked());
    link.prev_ = head_.prev_;
    link.next_ = &head_;
    head_.prev_->next_ = &link;
    head_.prev_ = &link;
  }

  // Takes the first one out. Precondition: not empty.
  T& pop_front() noexcept {
    T& item = front();
    static_cast<Link&>(item).unlink();
    return item;
  }

  // Appends all of `other`, which becomes empty: O(1) however many there are.
  void splice_back(List& other) noexcept {
    if (other.empty()) return;
    Link* first = other.head_.next_;
    Link* last = other.head_.prev_;
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
  Link head_;
};

}  // namespace belfry::detail
