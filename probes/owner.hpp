// Whose socket is it? A stale or foreign process on a port must not ring the bell of a service.
//
// The answer is in /proc/PID/fd, and how long it takes to read is in the hands of whoever has processes and
// descriptors. So both searches go in pieces; probes/socket_owners.hpp says when.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "system/process.hpp"
#include "system/sock_diag.hpp"
#include "system/socket_walk.hpp"

namespace belfry::probes {

enum class SearchStep : std::uint8_t { found, more, ended };

// Whether a process of the tree holds one of the sockets: the leader, what descends from it, or an
// orphan that left its descent (a double fork) and is a child of belfry's now. A process whose descriptors
// may not be looked at holds what its user has made.
// One object is one search; it never waits.
class TreeSearch {
 public:
  TreeSearch(const system::TreeId& tree, const std::vector<system::ListeningSocket>& sockets);
  // Goes on until `budget` is spent: a unit is about a microsecond.
  SearchStep step(std::uint32_t budget);

 private:
  enum class Part : std::uint8_t { descendants, others };
  bool begin(pid_t pid, std::uint32_t& budget);
  void begin_others(std::uint32_t& budget);
  [[nodiscard]] bool is_strange(pid_t child) const;
  void add(const std::vector<pid_t>& pids, bool are_children_of_belfry = false);

  struct Candidate {
    pid_t pid;
    bool may_be_strange;  // a child of belfry's, but whose?
  };
  system::TreeId tree_;
  std::vector<ino_t> inodes_;
  std::vector<uid_t> makers_;
  Part part_ = Part::descendants;
  std::deque<Candidate> next_;
  std::unordered_set<pid_t> seen_;
  std::optional<system::proc::SocketWalk> walk_;
};

// Which process of this host holds one of the sockets, as far as descriptors may be looked at.
// One object is one search, which can go on to the next holder after `found`; it never waits.
class HostSearch {
 public:
  explicit HostSearch(const std::vector<system::ListeningSocket>& sockets);
  SearchStep step(std::uint32_t budget);
  [[nodiscard]] pid_t holder() const { return holder_; }

 private:
  std::vector<ino_t> inodes_;
  std::vector<pid_t> processes_;  // in the order of /proc, the next one last
  pid_t holder_ = 0;
  std::optional<system::proc::SocketWalk> walk_;
};

}  // namespace belfry::probes
