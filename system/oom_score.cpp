#include "system/oom_score.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

// After everything that has not been told to be spared altogether (-1000); without the right to that, what
// anybody may go back to whose score was raised without it.
constexpr std::array<int, 2> wanted_scores = {-900, 0};
constexpr const char* file = "/proc/self/oom_score_adj";

std::optional<int> entry_score;

}  // namespace

void lower_oom_score() {
  const std::string text = proc::read_file(file);
  int score = 0;
  if (entry_score || std::from_chars(text.data(), text.data() + text.size(), score).ec != std::errc{}) return;
  const int opened = ::open(file, O_WRONLY | O_CLOEXEC);
  if (opened < 0) return;
  for (const int wanted : wanted_scores) {
    const std::string digits = std::to_string(wanted);
    if (entry_score || score <= wanted) continue;
    if (::write(opened, digits.data(), digits.size()) > 0) entry_score = score;
  }
  ::close(opened);
}

std::optional<int> entry_oom_score() { return entry_score; }

}  // namespace belfry::system
