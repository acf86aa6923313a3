// A regular expression that any text may be held against: linear time, bounded memory, no recursion
// (RE2; docs/adr/0015).
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace belfry::config {

// Immutable: it may be searched with any number of times, each in time linear in the length of the
// text.
class Pattern {
 public:
  // Perl's syntax without look-around and back references. The error says what is wrong with it.
  static std::expected<Pattern, std::string> compile(std::string_view text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether some part of `text` matches.
  [[nodiscard]] bool occurs_in(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> engine);
  std::unique_ptr<re2::RE2> engine_;
};

}  // namespace belfry::config
