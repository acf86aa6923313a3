// What a command shows while it waits: on a terminal one line that is rewritten, elsewhere lines ever more
// seldom.
#pragma once

#include <string>

#include "cli/waiting.hpp"
#include "text/live.hpp"

namespace belfry::cli {

// Owner: the command. Lifecycle: what it shows on a terminal is gone with it. Writes to standard error.
class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `text` is "still waiting for …" without a line end, fit to be shown.
  void show(const std::string& text);
  void clear();
  [[nodiscard]] bool is_live() const { return screen_.rewrites; }
  // When show() is to be called.
  [[nodiscard]] WaitSchedule schedule(std::optional<Duration> timeout) const;

 private:
  text::Screen screen_;
  bool shows_ = false;
};

}  // namespace belfry::cli
