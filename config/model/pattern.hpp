// A regular expression that any text may be held against: linear time, bounded memory, no recursion
// (RE2; docs/adr/0015).
//
// Linear is not enough where one thread does everything: a text that the automaton has no room for costs up
// to 5 ns for each of its bytes and each step of the expression, which is seconds for a line of 1 MiB. So an
// expression has at most `most_steps`, and what is looked at in one go has at most `most_work` of bytes times
// steps, which is some 35 ms: of a long text the less, the more steps there are.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace re2 {
class RE2;
}

namespace belfry::config {

// Immutable: it may be searched with any number of times, each in time linear in the length of the
// text.
class Pattern {
 public:
  // What is remembered of a match. Groups cost steps, so they are kept where their texts are wanted: of an
  // expression that has been accepted without.
  enum class Groups : bool { forget, keep };

  static constexpr std::size_t most_steps = 1000;
  static constexpr std::size_t most_work = std::size_t{6} << 20;
  static constexpr std::size_t longest_text = std::size_t{1} << 20;
  // How many bytes may be looked at in one go by expressions of so many steps in all.
  static std::size_t reach_of(std::size_t steps);

  // Perl's syntax without look-around and back references. The error says what is wrong with it, or that it
  // has too many steps.
  static std::expected<Pattern, std::string> compile(std::string_view text, Groups groups = Groups::forget);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether some part of `text`, or of the first `most` or reach() bytes of it, matches. What is not looked
  // at is there all the same: `$` is the end of the whole text.
  [[nodiscard]] bool occurs_in(std::string_view text, std::size_t most = longest_text) const;
  // How many bytes are looked at in one go: 300 KiB for one of 20 steps, 6 KiB for the largest.
  [[nodiscard]] std::size_t reach() const { return reach_of(steps_); }
  // A letter is one, `.` is eight, and a repetition multiplies.
  [[nodiscard]] std::size_t steps() const { return steps_; }

  // The names of its groups, `(?P<NAME>…)`, in alphabetical order. Of one compiled with Groups::keep.
  [[nodiscard]] std::vector<std::string> group_names() const;
  // What the named groups hold in the first match, views into `text`; of a group that took no part in it
  // nothing. Groups::keep; `most` as above.
  [[nodiscard]] std::vector<std::pair<std::string, std::string_view>> groups_in(
      std::string_view text, std::size_t most = longest_text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> engine);
  std::unique_ptr<re2::RE2> engine_;
  std::size_t steps_;
};

}  // namespace belfry::config
