// What belfry writes down for its guard (guard.hpp): memory that both see, so that noting a start costs no
// system call and wakes nobody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::system {

// Owner: the Guard. Lifecycle: made before the guard is forked; the pages that are never written to take no
// memory. Thread rules: one writer, belfry's loop; the guard reads when belfry is dead.
class GuardLedger {
 public:
  // Throws std::system_error: there is no memory for it.
  GuardLedger();
  ~GuardLedger();
  GuardLedger(const GuardLedger&) = delete;
  GuardLedger& operator=(const GuardLedger&) = delete;

  // A process that leads a session of its own was started just now; its tree is gone.
  void add(pid_t leader);
  void remove(pid_t leader);
  // The cgroup that everything is below; too long a path is not kept.
  void set_cgroup(std::string_view directory);

  // Whether a session of this number is one of those that were started. The leader may have ended; a number
  // that is another process's by now is not believed.
  [[nodiscard]] bool has_session(pid_t session) const;
  // Everybody who was added and not removed.
  [[nodiscard]] std::vector<pid_t> leaders() const;
  [[nodiscard]] std::string_view cgroup() const;

 private:
  struct Page;
  Page* page_;
};

}  // namespace belfry::system
