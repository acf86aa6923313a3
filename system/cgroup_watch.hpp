// Tells when a cgroup may have become empty: one inotify for all of them, no polling.
//
// The kernel reports changes of cgroup.events (populated) as modifications of that file, at most one in 10 ms
// for one cgroup. So this is only a safety net: mostly the end of a cgroup shows sooner, because a child was
// reaped; only a process that somebody has moved into the cgroup, and that is no child of ours, ends
// unnoticed without it.
#pragma once

#include <memory>
#include <string_view>

namespace belfry {
class Loop;
}

namespace belfry::system {

class CgroupListener {
 public:
  virtual void on_cgroup_changed() = 0;

 protected:
  ~CgroupListener() = default;
};

// Owner: ProcessTrees.
// Lifecycle: the descriptor is made with the first watch.
// Cancellation: the destructor; nobody is called afterwards.
class CgroupWatch {
 public:
  CgroupWatch(Loop& loop, CgroupListener& listener);
  ~CgroupWatch();
  CgroupWatch(const CgroupWatch&) = delete;
  CgroupWatch& operator=(const CgroupWatch&) = delete;

  // The number to give to remove(), or -1: then reaped children are all there is to go by.
  int add(std::string_view directory);
  void remove(int number);

 private:
  struct State;
  Loop& loop_;
  CgroupListener& listener_;
  std::shared_ptr<State> state_;
};

}  // namespace belfry::system
