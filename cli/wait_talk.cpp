#include "cli/wait_talk.hpp"

#include <unistd.h>

#include <iostream>

#include "cli/render.hpp"
#include "cli/terminal.hpp"
#include "text/escape.hpp"
#include "text/width.hpp"

namespace belfry::cli {
namespace {

constexpr std::string_view clear_line = "\r\x1b[K";
constexpr std::size_t usual_width = 80;  // of a terminal that does not know its own

// An error of a probe says "cannot … to db:5432: why", and who it is of stands before it already. What the
// daemon says of services names them itself.
std::string described(const waiter::Awaited& one) {
  if (!one.services.empty()) return one.why.empty() ? one.name : one.why;
  if (one.why.empty()) return one.name + ": the first attempt has had no answer yet";
  return one.name + ": " + one.why;
}

// Short: the last of the causes.
std::string cause_of(const waiter::Awaited& one) {
  if (!one.services.empty()) return one.why.empty() ? one.name : one.why;
  const auto colon = one.why.rfind(": ");
  const std::string why = colon == std::string::npos ? one.why : one.why.substr(colon + 2);
  return why.empty() ? one.name : one.name + ": " + why;
}

// The beginning of a line that is at most `width` columns wide.
std::string cut(std::string line, std::size_t width) {
  if (width == 0) return line;
  while (text::display_width(line) >= width) {
    do line.pop_back();
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U);
  }
  return line;
}

}  // namespace

std::string progress_line(Duration since, std::span<const waiter::Awaited* const> unmet, std::size_t width) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  std::string line = "waiting " + humanised(std::chrono::seconds(seconds)) + " for ";
  const std::string more = unmet.size() > 1 ? " (+" + std::to_string(unmet.size() - 1) + " more)" : "";
  if (!unmet.empty()) line += text::visible(cause_of(*unmet.front()));
  return cut(std::move(line), width > more.size() ? width - more.size() : width) + more;
}

std::string farewell(const std::vector<waiter::Awaited>& unmet) {
  if (unmet.size() == 1) return "cannot wait any longer for " + text::visible(described(unmet.front()));
  std::string lines = "cannot wait any longer for " + std::to_string(unmet.size()) + ":";
  for (const waiter::Awaited& one : unmet) lines += "\n  " + text::visible(described(one));
  return lines;
}

std::string WaitTalk::blame(const std::string& body, const std::vector<std::string>& services) {
  return describe_wait(client::read_status(body).value_or(StackStatus()), services, what_);
}

void WaitTalk::still_waiting(Duration since, std::span<const waiter::Awaited* const> unmet) {
  if (on_terminal_) {
    const std::size_t width = terminal_at(STDERR_FILENO).width;
    std::cerr << clear_line << progress_line(since, unmet, width > 0 ? width : usual_width);
    std::cerr.flush();
    shows_line_ = true;
    return;
  }
  std::string who;
  for (std::size_t i = 0; i < unmet.size() && i < 3; ++i)
    (who += i == 0 ? "" : "; ") += text::visible(described(*unmet[i]));
  if (unmet.size() > 3) who += "; and " + std::to_string(unmet.size() - 3) + " others";
  std::cerr << "belfry: still waiting for " + who + "\n";
}

void WaitTalk::clear() {
  if (!shows_line_) return;
  std::cerr << clear_line;
  std::cerr.flush();
  shows_line_ = false;
}

}  // namespace belfry::cli
