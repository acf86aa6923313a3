#include "daemon/run/held_output.hpp"

#include "system/output_writer.hpp"

namespace belfry::daemon {

void HeldLines::add(std::string_view lines) {
  blocks_.emplace_back(lines);
  size_ += lines.size();
  while (size_ > most && blocks_.size() > 1) {
    size_ -= blocks_.front().size();
    blocks_.pop_front();
    has_lost_ = true;
  }
}

std::string HeldLines::text() const {
  std::string all = has_lost_ ? "belfry | [belfry: older lines are not kept with --quiet]\n" : "";
  for (const std::string& block : blocks_) all += block;
  return all;
}

std::string HeldOutput::marker(std::uint64_t lines, std::string_view why) {
  return system::lost_lines_marker("belfry | ", lines, why);
}

}  // namespace belfry::daemon
