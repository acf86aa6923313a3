// The rotated files beside a log file: FILE.1 is the newest, or FILE.1.gz. How many there are, how old they
// get, and their compression, which is the business of a thread of its own that ends when nothing is left to
// compress.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "channels/time/time.hpp"

namespace belfry::system {

struct ArchiveRules {
  std::uint32_t max_files = 5;  // the current one included
  Duration max_age{0};          // by the time of the last line; 0: as old as it may be
  bool compress = false;
  friend bool operator==(const ArchiveRules&, const ArchiveRules&) = default;
};

// Owner: the log file, in its writer's thread. Lifecycle: the destructor waits for the thread, which looks
// for that every 64 KiB; what it was compressing stays as it was.
// Thread rules: everything in the owner's thread.
class LogArchive {
 public:
  LogArchive(std::string path, ArchiveRules rules);
  ~LogArchive();
  LogArchive(const LogArchive&) = delete;
  LogArchive& operator=(const LogArchive&) = delete;

  // Puts the current file aside: nothing has its name afterwards. 0, or errno: all is as it was. tidy() comes
  // next.
  [[nodiscard]] int put_aside();
  // Removes what there is too much of and what is too old, and begins to compress what is not. When
  // the next file will be too old, if one will.
  std::optional<std::chrono::system_clock::time_point> tidy();

 private:
  struct State;
  std::shared_ptr<State> state_;
  pthread_t thread_{};
  bool has_thread_ = false;
  void compress();
  void join();
};

}  // namespace belfry::system
