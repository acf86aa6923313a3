#include "config/import/sections.hpp"

#include <algorithm>
#include <cctype>

namespace belfry::config {
namespace {

constexpr std::size_t most_settings = 100'000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// `value ; note`: the comment begins at a `;` or `#` behind a blank.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 1; i < line.size(); ++i)
    if ((line[i] == ';' || line[i] == '#') && is_blank(line[i - 1])) return line.substr(0, i);
  return line;
}

// Owner: read_sections, on its stack. Lifecycle: one file. Cancellation: none.
class SectionReader {
 public:
  SectionReader(Diagnostics& diagnostics, std::uint32_t file, SectionStyle style)
      : diagnostics_(diagnostics), source_(diagnostics.sources()[file]), file_(file), style_(style) {}

  std::vector<Section> run() {
    const std::uint32_t count = source_.line_count();
    for (number_ = 1; number_ <= count && !full_; ++number_) line(source_.line(number_));
    return std::move(sections_);
  }

 private:
  [[nodiscard]] Span span(std::string_view part) const {
    const std::string_view line = source_.line(number_);
    return {file_, number_, static_cast<std::uint32_t>(part.data() - line.data() + 1),
            static_cast<std::uint32_t>(std::max<std::size_t>(1, part.size()))};
  }

  void line(std::string_view written) {
    const std::string_view text = trimmed(written);
    const bool comment = text.starts_with('#') || text.starts_with(';');
    if (style_ == SectionStyle::unit && is_continued_) return comment ? void() : go_on(text);
    if (text.empty() || comment) return;
    if (style_ == SectionStyle::configured && is_blank(written.front()) && setting() != nullptr) {
      setting()->value += '\n';
      setting()->value += trimmed(without_comment(text));
    } else if (text.front() == '[') {
      header(text);
    } else {
      assignment(text);
    }
  }

  [[nodiscard]] Setting* setting() {
    return sections_.empty() || sections_.back().settings.empty() ? nullptr
                                                                  : &sections_.back().settings.back();
  }

  void header(std::string_view written) {
    const std::string_view text =
        style_ == SectionStyle::configured ? trimmed(without_comment(written)) : written;
    const std::string_view name = trimmed(text.substr(1, text.size() < 2 ? 0 : text.size() - 2));
    if (!text.ends_with(']') || name.empty()) return odd(text, "this is no `[section]`", "write [Name]");
    sections_.push_back({std::string(name), span(text), {}});
  }

  void assignment(std::string_view text) {
    const bool unit = style_ == SectionStyle::unit;
    const auto equals = text.find_first_of(unit ? "=" : "=:");
    const std::string_view key = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || key.empty())
      return odd(text, "this line is not of the form `key=value`", "write Key=value, or # before a note");
    if (sections_.empty())
      return odd(text, "this line stands before the first `[section]`", "move it into the section it is of");
    if (++settings_ > most_settings) return too_many();
    std::string_view value = trimmed(text.substr(equals + 1));
    if (!unit)
      value = value.starts_with(';') || value.starts_with('#') ? "" : trimmed(without_comment(value));
    std::string name(key);
    if (!unit)
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    is_continued_ = unit && value.ends_with('\\');
    if (is_continued_) value.remove_suffix(1);
    sections_.back().settings.push_back({std::move(name), std::string(trimmed(value)), span(key)});
  }

  void go_on(std::string_view text) {
    is_continued_ = text.ends_with('\\');
    if (is_continued_) text.remove_suffix(1);
    text = trimmed(text);
    std::string& value = setting()->value;
    if (!value.empty() && !text.empty()) value += ' ';
    value += text;
  }

  void odd(std::string_view text, std::string message, std::string help) {
    if (!diagnostics_.full())
      diagnostics_.warning("not-carried", span(text), std::move(message), std::move(help));
  }

  void too_many() {
    full_ = true;
    diagnostics_.error("too-large", {file_, number_, 1}, "the file has more than 100000 settings",
                       "check that this is the right file");
  }

  Diagnostics& diagnostics_;
  const Source& source_;
  std::uint32_t file_;
  SectionStyle style_;
  std::vector<Section> sections_;
  std::uint32_t number_ = 0;
  std::size_t settings_ = 0;
  bool is_continued_ = false, full_ = false;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r");
  return start == std::string_view::npos ? std::string_view()
                                         : text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

std::optional<std::uint32_t> add_text(Diagnostics& diagnostics, std::string file_name,
                                      std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto file = static_cast<std::uint32_t>(diagnostics.sources().size());
  diagnostics.sources().emplace_back(std::move(file_name), std::string(text));
  const auto fault = find_text_fault(text);
  if (!fault) return file;
  const auto line = static_cast<std::uint32_t>(1 + std::ranges::count(text.substr(0, fault->offset), '\n'));
  diagnostics.error("bad-text", {file, line, 1}, fault->message, "save the file as UTF-8");
  return std::nullopt;
}

std::vector<Section> read_sections(Diagnostics& diagnostics, std::uint32_t file, SectionStyle style) {
  return SectionReader(diagnostics, file, style).run();
}

}  // namespace belfry::config
