// Everything a start needs, made ready while the service still waits, so that only the clone is left to
// do when its bell rings.
//
// A Launch is plain data without a kernel: preparing it allocates, spawning it does not. Strings are kept
// as one block each, and belfry's own environment is shared, so that ten thousand waiting services cost
// their own words only.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "system/identity.hpp"

namespace belfry::system {

// Where a command is searched in an environment without PATH.
inline constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct ListenNotifierRequest;
class Sandbox;

using NameValue = std::pair<std::string, std::string>;

// Strings for the kernel: "a\0b\0c\0" in one block. The pointers to them are made at the spawn.
class StringBlock {
 public:
  void add(std::string_view text);
  void add(std::string_view name, std::string_view value);  // "name=value"
  void remove(std::string_view name);                       // the "name=…" entries
  void clear() { bytes_.clear(), count_ = 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::string_view front() const {
    return std::string_view(bytes_).substr(0, bytes_.find(char{}));
  }
  // Calls f(char*) for each string, in order. The kernel's interfaces want char* without const.
  template <class F>
  void each(F&& f) const {
    char* at = const_cast<char*>(bytes_.data());
    for (std::size_t i = 0; i < count_; ++i) {
      f(at);
      at += std::char_traits<char>::length(at) + 1;
    }
  }

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
};

// An environment shared by many launches. Immutable after it was made.
class BaseEnvironment {
 public:
  // The given environment without what concerns belfry alone: NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*,
  // MAINPID, BELFRY_SERVICE, BELFRY_SOCKET, BELFRY_RUN. Pass `environ`.
  static std::shared_ptr<const BaseEnvironment> inherited(const char* const* environment);
  static std::shared_ptr<const BaseEnvironment> empty();
  // What of `all` has one of these names.
  static std::shared_ptr<const BaseEnvironment> only(const BaseEnvironment& all,
                                                     std::span<const std::string> names);

  [[nodiscard]] std::span<char* const> entries() const { return pointers_; }
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

 private:
  StringBlock block_;
  std::vector<char*> pointers_;
};

// `source` (belfry's number) becomes `target` in the child, close-on-exec cleared.
struct PassedDescriptor {
  int source = -1;
  int target = -1;
};

struct ResourceLimit {
  int resource = 0;  // RLIMIT_*
  rlim_t soft = 0, hard = 0;
};

// Capabilities as sets of their numbers (capabilities(7)).
struct CapabilityChange {
  std::uint64_t dropped = 0;  // out of the bounding set, and with it out of everything that comes of an exec
  std::uint64_t ambient = 0;  // into the ambient set: the program has them whoever it runs as
  [[nodiscard]] bool empty() const { return dropped == 0 && ambient == 0; }
};

// As ioprio_set(2) takes it: the class in the upper three bits, the level below.
[[nodiscard]] constexpr std::uint16_t io_priority(unsigned of_class, unsigned level) {
  return static_cast<std::uint16_t>(of_class << 13U | level);
}

// Owner: the incarnation (or a probe, a hook) that wants to start it.
// Lifecycle: set up, then spawned any number of times; changing it between spawns is fine.
class Launch {
 public:
  // argv; argv[0] with a slash is a path (relative to working_dir), otherwise it is searched in PATH.
  void set_command(std::span<const std::string> arguments);

  // The child's environment: `base`, overlaid by `own`, BELFRY_SERVICE=marker, and what was added below.
  // PATH for the search of the command is taken from the result.
  void set_environment(std::shared_ptr<const BaseEnvironment> base, std::span<const NameValue> own);
  void add_variable(std::string_view name, std::string_view value);  // overrides an earlier one

  // "shop/db#3": how orphans of this incarnation are recognised, as BELFRY_SERVICE in its environment.
  void set_marker(std::string_view marker);
  [[nodiscard]] std::string_view marker() const;

  // Looks the command up in PATH now, so that the child needs one exec instead of one per directory.
  // A hint only: when the file is gone by the time of the spawn, the search is done again.
  void resolve();

  [[nodiscard]] std::string_view command() const;  // argv[0] as written

  // --- descriptors: belfry's numbers, borrowed for the spawn
  int standard_input = -1;                    // -1: /dev/null
  int standard_output = -1;                   // -1: belfry's own
  int standard_error = -1;                    // -1: belfry's own
  std::vector<PassedDescriptor> descriptors;  // ready fd, sockets from 3 up, …; anything else is closed
  int cgroup = -1;                            // directory of the cgroup v2 to start in; -1: belfry's own
  bool listen_pid = false;                    // add LISTEN_PID=<pid of the child>
  bool watchdog_pid = false;                  // add WATCHDOG_PID=<pid of the child>

  // --- where and as whom
  std::string working_dir;                   // empty: belfry's
  std::shared_ptr<const Identity> identity;  // null: belfry's own
  bool no_new_privileges = false;
  CapabilityChange capabilities;
  // Null: it sees of the machine what belfry sees. Else its namespaces (system/sandbox.hpp); the directory
  // that it runs in is then `working_dir`, or the root.
  const Sandbox* sandbox = nullptr;
  // Below a shim of its own (system/subreaper_shim.hpp): none of the processes that it forks can leave it.
  bool isolate = false;

  // Not null: belfry is notified of its calls of listen(2) (system/seccomp_listen.hpp), if the kernel allows
  // it. The spawn answers the request.
  ListenNotifierRequest* listen_notifier = nullptr;

  // --- process attributes
  bool new_session = true;      // false: a process group of its own in belfry's session
  int foreground_tty = -1;      // make the child the terminal's foreground group (CMD of `exec`)
  bool die_with_belfry = true;  // on_daemon_death: kill (PR_SET_PDEATHSIG)
  std::optional<mode_t> umask;
  std::optional<int> nice;
  std::optional<int> oom_score_adj;  // unset, as umask and nice: inherited from belfry
  std::vector<ResourceLimit> rlimits;
  std::vector<std::uint16_t> cpus;             // empty: belfry's
  std::optional<std::uint16_t> disk_priority;  // of io_priority(); unset: belfry's

 private:
  friend class Spawner;
  [[nodiscard]] std::optional<std::string_view> variable(std::string_view name) const;
  void hide_overridden();

  StringBlock arguments_;
  StringBlock variables_;
  StringBlock candidates_;                       // paths to exec, in order; empty: resolve() first
  std::shared_ptr<const BaseEnvironment> base_;  // null: nothing inherited
  std::vector<std::uint16_t> hidden_;            // indices into base_ that variables_ override, ascending
  std::string marker_;                           // "BELFRY_SERVICE=shop/db#3"
};

}  // namespace belfry::system
