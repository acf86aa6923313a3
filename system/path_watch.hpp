// Tells when what a path leads to may have changed: one inotify(7) for all paths of the daemon, no polling.
//
// The problem: inotify watches a file or directory that is there, and not a path. What a path leads to
// changes with every directory and every symbolic link on the way: each may be made, renamed, removed,
// replaced, and made anew; and a mount covers what was there without a word to inotify.
//
// The contract: renew() walks the path as far as it leads now, and every directory on the way is watched for
// the one name that the path asks it for, before that name is looked up: so nothing happens unseen between
// the look and the watch. From then on the listener is told of every change that matters, and looks again,
// which renews. Names that nobody asked for are read and dropped. Changes of what is mounted come from
// /proc/self/mountinfo (proc(5)), lost events (IN_Q_OVERFLOW) count as a change of every path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"

namespace belfry {
class Loop;
}

namespace belfry::system {

// Told on the loop's thread. It may neither renew nor destroy a watch from within.
class PathListener {
 public:
  virtual void on_path_changed() = 0;

 protected:
  ~PathListener() = default;
};

// What all watches of a daemon share.
// Owner: whoever makes the watches; outlives them.
// Lifecycle: the descriptors are made with the first renew().
// Cancellation: the destructor; nobody is called afterwards.
class PathWatches {
 public:
  explicit PathWatches(Loop& loop);
  ~PathWatches();
  PathWatches(const PathWatches&) = delete;
  PathWatches& operator=(const PathWatches&) = delete;

 private:
  friend class PathWatch;
  struct State;
  // The shared state, or why there is no inotify.
  [[nodiscard]] Result<State*> state();

  Loop& loop_;
  std::shared_ptr<State> state_;
};

// Whether changes of the file itself matter, or only whether there is one, and which.
enum class PathDepth : std::uint8_t { existence, contents };

// Owner: whoever asks about the path.
// Lifecycle: quiet until the first renew(); the destructor lets go of everything.
class PathWatch {
 public:
  // `path` is absolute.
  PathWatch(PathWatches& all, std::string path, PathDepth depth, PathListener& listener);
  ~PathWatch();
  PathWatch(const PathWatch&) = delete;
  PathWatch& operator=(const PathWatch&) = delete;

  // Watches whatever the path leads through now. An error: not everything that matters will be told, and why,
  // for people.
  Result<void> renew();

  // A directory with the name that is awaited there, or a file itself (no name), by the number that the
  // kernel has given it.
  struct Place {
    int number;
    std::string name;
  };

 private:
  friend class PathWatches;
  class Walk;
  void let_go(const std::vector<Place>& places);

  PathWatches& all_;
  std::string path_;
  PathDepth depth_;
  PathListener& listener_;
  std::vector<Place> places_;
};

}  // namespace belfry::system
