#include "cli/progress.hpp"

#include <unistd.h>

#include <iostream>

#include "system/screen.hpp"
#include "text/paint.hpp"

namespace belfry::cli {
namespace {

constexpr std::string_view clear_line = "\r\033[K";
constexpr std::size_t usual_width = 80;

}  // namespace

Progress::Progress() : screen_(system::screen_at(STDERR_FILENO)) {}

void Progress::show(const std::string& text) {
  if (!screen_.rewrites) {
    std::cerr << "belfry: " + text + "\n";
    return;
  }
  const std::size_t width = screen_.width > 0 ? screen_.width : usual_width;
  std::cerr << clear_line << text::cut(text, width - 1);
  std::cerr.flush();
  shows_ = true;
}

void Progress::clear() {
  if (!shows_) return;
  std::cerr << clear_line;
  std::cerr.flush();
  shows_ = false;
}

WaitSchedule Progress::schedule(std::optional<Duration> timeout) const {
  constexpr Duration of_a_line = std::chrono::seconds(1);
  return is_live() ? WaitSchedule(Clock::now(), timeout, of_a_line) : WaitSchedule(Clock::now(), timeout);
}

}  // namespace belfry::cli
