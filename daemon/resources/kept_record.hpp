// Which processes outlive a killed belfry on purpose (`on_daemon_death: keep`): a file beside the control
// socket, one line a start, so that the next belfry finds also those that have erased their environment.
//
// A pid with the time of its birth is never used twice in one life of the machine, and the file's directory
// (a run-time directory) does not outlive that.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "channels/error.hpp"

namespace belfry::daemon {

struct KeptProcess {
  pid_t pid = 0;
  std::uint64_t born = 0;  // in clock ticks since the boot, as /proc/PID/stat has it
  std::string service;
};

// Owner: the daemon. Lifecycle: open() empties it; the file stays where belfry is killed, and goes with
// remove(). Cancellation: none, it does not wait.
class KeptRecord {
 public:
  // `socket` is the control socket's path.
  explicit KeptRecord(std::string_view socket) : path_(std::string(socket) + ".kept") {}
  ~KeptRecord();
  KeptRecord(const KeptRecord&) = delete;
  KeptRecord& operator=(const KeptRecord&) = delete;

  // Whether an earlier belfry has left one.
  [[nodiscard]] bool exists() const;
  // What it says. Nothing of a file that somebody else could have written.
  [[nodiscard]] std::vector<KeptProcess> read() const;

  Result<void> open();
  // A process that has just been started. Failing to write is not failing to run: whoever keeps its
  // environment is found all the same.
  void add(pid_t pid, std::string_view service);
  void remove();

 private:
  void write_anew();

  std::string path_;
  int file_ = -1;
  std::unordered_map<std::string, KeptProcess> last_;  // of each service that has run
  std::size_t lines_ = 0;
};

}  // namespace belfry::daemon
