#include "daemon/logs/outputs.hpp"

#include <algorithm>
#include <utility>

namespace belfry::daemon {

LogOutputs::~LogOutputs() {
  for (const auto& output : outputs_) output->pump.forget(output->lines);
}

void LogOutputs::add_output(LogPump& pump, std::string_view name, LineStyle style,
                            std::shared_ptr<void> use) {
  // A line of a byte may become a hundred.
  const bool has_long_heads = style.form == LineStyle::Form::json || style.form == LineStyle::Form::record;
  if (has_long_heads || style.timestamps) most_to_read_ = std::size_t{16} << 10;
  outputs_.push_back(
      std::make_unique<Output>(Output{.use = std::move(use), .pump = pump, .lines = LogLines(name, style)}));
}

void LogOutputs::add(const LogText& text, const LineOrigin& origin) {
  if (kept_ != nullptr) kept_->add(text, origin);
  std::uint64_t lost = 0;
  for (const auto& output : outputs_) {
    const std::uint64_t before = output->lines.lost_in_all();
    output->lines.add(text, origin);
    output->pump.dirty(output->lines);
    lost += output->lines.lost_in_all() - before;
  }
  if (lost > 0 && on_lost) on_lost(lost);
}

bool LogOutputs::has_room() const {
  return std::ranges::all_of(
      outputs_, [](const auto& output) { return output->lines.held() < LogLines::most_held / 2; });
}

void LogOutputs::begin_last_words() {
  for (const auto& output : outputs_) output->lines.at_an_end = true;
}

bool LogOutputs::rests(LogSource& source, bool floods) {
  return std::ranges::any_of(
      outputs_, [&](const auto& output) { return output->pump.rests(source, output->lines, floods); });
}

void LogOutputs::forget_source(LogSource& source) {
  for (const auto& output : outputs_) {
    output->lines.floods = false;
    output->pump.forget_source(source);
  }
}

std::uint64_t LogOutputs::lines_lost() const {
  std::uint64_t lost = 0;
  for (const auto& output : outputs_) lost += output->lines.lost_in_all();
  return lost;
}

}  // namespace belfry::daemon
