// A regular expression that any text may be held against: linear time, bounded memory, no recursion
// (RE2; docs/adr/0015).
//
// Linear is not enough where one thread does everything: a text that the automaton has no room for costs up
// to 5 ns for each of its bytes and each step of the expression, which is seconds for a line of 1 MiB. So an
// expression has at most so many steps, and the more it has, the less of a long text is looked at.
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
  // What is remembered of a match. Groups cost time, so they are kept where their texts are wanted.
  enum class Groups : bool { forget, keep };

  // Perl's syntax without look-around and back references. The error says what is wrong with it, or that it
  // has too many steps.
  static std::expected<Pattern, std::string> compile(std::string_view text, Groups groups = Groups::forget);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether some part of `text`, or of the first reach() bytes of it, matches.
  [[nodiscard]] bool occurs_in(std::string_view text) const;
  // How many bytes are looked at in one go: 1 MiB for a simple one, 6 KiB for the largest.
  [[nodiscard]] std::size_t reach() const { return reach_; }

  // The names of its groups, `(?P<NAME>…)`, in alphabetical order. Of one compiled with Groups::keep.
  [[nodiscard]] std::vector<std::string> group_names() const;
  // What the named groups hold in the first match, views into `text`; of a group that took no part in it
  // nothing. Groups::keep.
  [[nodiscard]] std::vector<std::pair<std::string, std::string_view>> groups_in(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> engine);
  std::unique_ptr<re2::RE2> engine_;
  std::size_t reach_;
};

}  // namespace belfry::config
