// The lines of a stack that are only shown when something goes wrong (`exec --quiet`).
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "system/output_target.hpp"

namespace belfry::daemon {

// The newest lines, up to 4 MiB. Touched by the writer's thread as long as there is one, then by whoever
// shows them.
class HeldLines {
 public:
  void add(std::string_view lines);
  // All that is held, with a line in front where the oldest have gone.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t most = std::size_t{4} << 20;
  std::deque<std::string> blocks_;
  std::size_t size_ = 0;
  bool has_lost_ = false;
};

// Owner: the OutputWriter. Lifecycle: that of its thread; what it holds lives on.
class HeldOutput final : public system::OutputTarget {
 public:
  explicit HeldOutput(std::shared_ptr<HeldLines> lines) : lines_(std::move(lines)) {}
  ssize_t write(std::string_view lines) override {
    lines_->add(lines);
    return static_cast<ssize_t>(lines.size());
  }
  std::string marker(std::uint64_t lines, std::string_view why) override;

 private:
  std::shared_ptr<HeldLines> lines_;
};

}  // namespace belfry::daemon
