// /proc/PID/stat, read once: one line that answers most questions about a process (proc_pid_stat(5)).
//
// The second field is the name of the process in parentheses, and the process chooses it: it may hold blanks,
// parentheses and digits. So fields are only ever counted from the *last* closing parenthesis on.
#pragma once

#include <sys/types.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace belfry::system::proc {

// This process, by the name that /proc has for it in any PID namespace.
inline constexpr pid_t self = -1;

// The line is in the object, so that reading it allocates nothing.
class StatLine {
 public:
  explicit StatLine(pid_t pid);
  StatLine(const StatLine&) = delete;
  StatLine& operator=(const StatLine&) = delete;

  // False: there is no such process, or /proc does not show it.
  explicit operator bool() const { return !behind_name_.empty(); }

  [[nodiscard]] std::string_view name() const { return name_; }
  // 'R', 'S', 'D', 'Z', …; 0: there is no such process.
  [[nodiscard]] char state() const { return *this ? behind_name_[1] : char{}; }
  // A field behind the state, counted as the page does: 4 is the parent.
  template <class Integer>
  [[nodiscard]] std::optional<Integer> number(int field) const {
    std::size_t at = 0;
    for (int reached = 3; reached < field && at != std::string_view::npos; ++reached)
      at = behind_name_.find(' ', at + 1);
    if (at == std::string_view::npos || !*this) return std::nullopt;
    Integer value{};
    const char* const end = behind_name_.data() + behind_name_.size();
    const auto [rest, error] = std::from_chars(behind_name_.data() + at + 1, end, value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
  }

 private:
  std::array<char, 2048> text_;   // fifty fields of at most twenty digits, and a name
  std::string_view name_;         // without its parentheses
  std::string_view behind_name_;  // " S 1 4711 …"
};

}  // namespace belfry::system::proc
