// The text of one input file and the arithmetic of its lines and columns.
//
// A place counts bytes, because that is what the parser counts. People, terminals and editors count
// differently, so the three other ways of counting live here and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

// Whether messages may show lines of the text. Env files hold passwords.
enum class Excerpts : std::uint8_t { shown, withheld };

class Source {
 public:
  Source(std::string name, std::string text, Excerpts excerpts = Excerpts::shown)
      : name_(std::move(name)), text_(std::move(text)), withheld_(excerpts == Excerpts::withheld) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  // Its lines are for belfry alone: messages name places in it and quote nothing.
  void withhold() { withheld_ = true; }
  [[nodiscard]] bool withheld() const { return withheld_; }
  // Line `number`, counted from 1, without its line break; empty beyond the end. The first call
  // indexes the whole text.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t line_count() const;
  // Where the token that starts at `line`:`column` ends on that line, in bytes from its start (at
  // least 1): a quoted text with its quotes, else up to the next separator of YAML.
  [[nodiscard]] std::uint32_t token_length(std::uint32_t line, std::uint32_t column) const;

 private:
  void index() const;
  std::string name_;
  std::string text_;
  bool withheld_ = false;
  mutable std::vector<std::uint32_t> starts_;
};

// What a byte sequence cannot be, found before a parser sees it.
struct TextFault {
  std::size_t offset = 0;
  std::string message;
  std::string help;
};
// The first byte of `text` that is not UTF-8, or a control character YAML does not allow.
[[nodiscard]] std::optional<TextFault> find_text_fault(std::string_view text);

// Column `byte_column` of `line` (both from 1) counted in characters, also from 1.
[[nodiscard]] std::uint32_t character_column(std::string_view line, std::uint32_t byte_column);
// The same counted from 0 in UTF-16 code units, as the Language Server Protocol does.
[[nodiscard]] std::uint32_t utf16_offset(std::string_view line, std::uint32_t byte_column);

}  // namespace belfry::config
