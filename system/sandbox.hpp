// Namespaces of a service: what it does not see, or cannot change, of the machine.
//
// The problem: a mount namespace takes a dozen system calls, and a service's hooks, its `exec` probes and
// itself must share it. So it is made once for a run, before its bell, by a short-lived child, and held by
// descriptors; whoever is started for the service joins it with setns(2).
// The contract: make() gives all of what was asked for, or says which step failed, with its errno; nothing of
// belfry's own namespaces changes. The namespaces live as long as a descriptor or a process holds them, and
// with them their private file systems.
//
// It needs CAP_SYS_ADMIN. A user namespace would give that to anybody, but it would take the service's
// groups, and show it files of everybody else as nobody's: so belfry makes none, and says what is missing
// (ADR 29). A belfry that was itself started in a user namespace, as its root, can do all of it there.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "system/owned_fd.hpp"

namespace belfry::system {

struct SandboxPlan {
  bool read_only_root = false;
  bool private_tmp = false;
  bool private_network = false;
  bool protect_home = false;
  // Paths that stay as they are, writable and in sight, whatever is read-only or hidden around them. 200 at
  // most.
  std::vector<std::string> kept = {};
  // Files on a file system in memory that is mounted over `credentials_directory`, which must exist; only
  // `owner` reads them. The texts are used during make() only.
  std::string credentials_directory = {};  // empty: none
  std::vector<std::pair<std::string, const std::string*>> credentials = {};
  uid_t owner = 0;

  [[nodiscard]] bool needs_mounts() const {
    return read_only_root || private_tmp || protect_home || !credentials_directory.empty();
  }
};

struct SandboxError {
  std::string step;  // "mount /tmp"
  int errnum = 0;
  // "mount /tmp: Operation not permitted (belfry lacks CAP_SYS_ADMIN)".
  [[nodiscard]] std::string text() const;
  // Whether it is a right that is missing, or a kernel that cannot: it stays so.
  [[nodiscard]] bool is_refusal() const;
};

// Owner: the run of a service. Lifecycle: made before its first process, destroyed any time: processes in it
// keep it alive.
class Sandbox {
 public:
  static std::expected<std::unique_ptr<Sandbox>, SandboxError> make(const SandboxPlan& plan);

  // Descriptors, close-on-exec; -1: it is belfry's own.
  [[nodiscard]] int mounts() const { return mounts_.get(); }
  [[nodiscard]] int network() const { return network_.get(); }
  [[nodiscard]] int root() const { return root_.get(); }

 private:
  Sandbox(OwnedFd mounts, OwnedFd network, OwnedFd root)
      : mounts_(std::move(mounts)), network_(std::move(network)), root_(std::move(root)) {}
  OwnedFd mounts_, network_, root_;
};

}  // namespace belfry::system
