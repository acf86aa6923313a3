// Descriptors that are held back for the moment in which there are none left.
//
// A stack may take all that the limit allows. Whoever asks then why it is not ready, or wants to stop it, is
// served with one of these; and where they are lent out too, a connection can at least be taken out of the
// queue and closed, which would wake the loop for ever otherwise.
#pragma once

#include <cstddef>
#include <vector>

#include "system/descriptors.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

class DescriptorReserve {
 public:
  // Holds as many as are left of `lendable`, and one for shedding.
  explicit DescriptorReserve(std::size_t lendable) : lendable_(lendable) { refill(); }

  // Frees a descriptor for the next accept(2). False: all are lent out.
  bool lend() {
    if (held_.empty()) return false;
    held_.pop_back();
    return true;
  }
  // Right after a connection was closed, before anybody else can take its number.
  void refill() {
    if (!last_) last_ = spare();
    while (held_.size() < lendable_) {
      OwnedFd one = spare();
      if (!one) return;
      held_.push_back(std::move(one));
    }
  }
  // The last one: to be freed for a connection that is closed at once.
  void free_last() { last_.close(); }

 private:
  static OwnedFd spare() { return OwnedFd(open_null()); }

  std::size_t lendable_;
  std::vector<OwnedFd> held_;
  OwnedFd last_;
};

}  // namespace belfry::system
