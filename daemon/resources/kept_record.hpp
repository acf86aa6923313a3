// Which processes outlive a killed belfry on purpose (`on_daemon_death: keep`): a file beside the control
// socket, one line a start, so that the next belfry finds also those that have erased their environment.
//
// What it names is a ProcessIdentity, which means nothing after the machine has been started anew; the file
// lies in a run-time directory, which does not outlive that either.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "channels/error.hpp"
#include "system/open_file.hpp"
#include "system/process_identity.hpp"

namespace belfry::daemon {

struct KeptProcess {
  system::ProcessIdentity process;
  std::string service;
};

// Owner: the Daemon. Lifecycle: open() empties it; remove() removes the file, which stays when belfry is
// killed.
class KeptRecord {
 public:
  // `socket` is the control socket's path.
  explicit KeptRecord(std::string_view socket) : path_(std::string(socket) + ".kept") {}

  // Whether an earlier belfry has left one.
  [[nodiscard]] bool exists() const;
  // What it says; nothing when somebody else could have written the file.
  [[nodiscard]] std::vector<KeptProcess> read() const;

  Result<void> open();
  // A process that has just been started. Failing to write is not failing to run: a process that keeps its
  // environment is found all the same.
  void add(pid_t pid, std::string_view service);
  void remove();

 private:
  void write_anew();

  std::string path_;
  std::optional<system::OwnFile> file_;
  std::unordered_map<std::string, KeptProcess> last_;  // of each service that has run
  std::size_t lines_ = 0;
};

}  // namespace belfry::daemon
