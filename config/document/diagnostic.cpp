#include "config/document/diagnostic.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <tuple>
#include <utility>

#include "config/document/confidential.hpp"
#include "text/width.hpp"

namespace belfry::config {
namespace {

struct Paint {
  std::string_view bold, red, yellow, green, off;
};
constexpr Paint plain{};
constexpr Paint ansi{"\x1b[1m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[1;32m", "\x1b[0m"};

// The part of a long line that is shown, so that a file of one line does not flood the terminal.
struct Window {
  std::string_view text;
  std::uint32_t skipped = 0;  // bytes left out before it
  bool cut_right = false;
};

Window window_of(std::string_view line, std::uint32_t column) {
  constexpr std::size_t before = 100;
  constexpr std::size_t most = 180;
  if (line.size() <= most) return {line, 0, false};
  std::size_t start = column > before ? std::min<std::size_t>(column - before, line.size()) : 0;
  while (start > 0 && start < line.size() && text::is_continuation(line[start])) --start;
  std::size_t end = std::min(line.size(), start + most);
  while (end < line.size() && text::is_continuation(line[end])) ++end;
  return {line.substr(start, end - start), static_cast<std::uint32_t>(start), end < line.size()};
}

// Blanks as wide as `before`, with its tabs kept, so that the caret stands below its token on every terminal.
std::string indent_like(std::string_view before) {
  std::string out;
  while (!before.empty()) {
    const std::size_t length = text::first_character(before).length;
    const std::string_view one = before.substr(0, length);
    out += one == "\t" ? "\t" : std::string(text::display_width(one), ' ');
    before.remove_prefix(length);
  }
  return out;
}

void print_source(Span where, const Source& source, std::ostream& out, const Paint& paint) {
  const std::string line = line_to_show(source, where.line);
  if (line.empty() || where.column == 0 || source.withheld()) return;
  const std::uint32_t length =
      where.length > 0 ? where.length : source.token_length(where.line, where.column);
  const Window shown = window_of(line, where.column);
  const std::string_view prefix = shown.skipped > 0 ? "…" : "";
  const std::size_t at = std::min<std::size_t>(where.column - 1 - shown.skipped, shown.text.size());
  const std::string_view token = shown.text.substr(at, length);
  const std::size_t width = text::display_width(token);
  const std::size_t tail = width - std::min<std::size_t>(1, width);
  out << "    " << prefix << printable(shown.text) << (shown.cut_right ? "…" : "") << "\n    "
      << (prefix.empty() ? "" : " ") << indent_like(shown.text.substr(0, at)) << paint.green << '^'
      << std::string(tail, '~') << paint.off << '\n';
}

void print_place(Span where, const Diagnostics::Sources& sources, std::ostream& out) {
  if (where.file >= sources.size()) return;
  const Source& source = sources[where.file];
  out << printable(source.name()) << ':';
  if (where.line > 0)
    out << where.line << ':' << character_column(source.line(where.line), where.column) << ':';
  out << ' ';
}

}  // namespace

void Diagnostics::add(Diagnostic one) {
  if (all_.size() < most) {
    one.message = masked(one.message);
    one.help = masked(one.help);
  }
  if (one.severity != Severity::remark) (one.severity == Severity::error ? errors_ : warnings_) += 1;
  if (all_.size() < most || (one.severity == Severity::error && errors_ == 1))
    all_.push_back(std::move(one));
  else
    ++omitted_;
}

void Diagnostics::finish() {
  const auto key = [](const Diagnostic& d) {
    return std::tie(d.where.file, d.where.line, d.where.column, d.severity, d.message);
  };
  std::ranges::sort(all_, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto of = [this](Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(all_, severity, &Diagnostic::severity));
  };
  const std::size_t errors = of(Severity::error), warnings = of(Severity::warning);
  const auto repeated =
      std::ranges::unique(all_, [&](const auto& a, const auto& b) { return key(a) == key(b); });
  all_.erase(repeated.begin(), repeated.end());
  // Counted before and after: what `unique` leaves behind the new end is unspecified.
  errors_ -= errors - of(Severity::error);
  warnings_ -= warnings - of(Severity::warning);
}

namespace {

// Takes quotations of the file out of a message. With a `source`, what stands between backticks counts as a
// quotation only if it is in that text; without one, all of it does.
std::string without_quotations(std::string_view text, std::optional<std::string_view> source = {}) {
  const auto is_plain = [](std::string_view word) {
    return word.size() <= 32 && std::ranges::all_of(word, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == ' ';
           });
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('`', at), text.size());
    const std::size_t close = std::min(text.find('`', std::min(open + 1, text.size())), text.size());
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    const std::string_view word = text.substr(open + 1, close - open - 1);
    const bool own = is_plain(word) || (source && !source->contains(word));
    out.append("`").append(own ? word : "…").append("`");
    at = close + 1;
  }
  return out;
}

}  // namespace

void Diagnostics::stop_quoting(std::uint32_t file) {
  for (Diagnostic& one : all_) {
    if (one.where.file != file) continue;
    one.message = without_quotations(one.message);
    one.help = without_quotations(one.help, sources()[file].text());
    for (Note& note : one.notes) note.text = without_quotations(note.text);
  }
}

// What belfry may not do says who checks, and nothing of the file: a file with `user:` is right, although an
// ordinary user who looks at it could not run it.
void Diagnostics::be_strict() {
  for (Diagnostic& one : all_) {
    if (one.severity != Severity::warning || one.rule == "not-permitted") continue;
    one.severity = Severity::error;
    ++errors_;
    --warnings_;
  }
}

void print(const Diagnostic& one, const Diagnostics::Sources& sources, std::ostream& out, bool colour) {
  const Paint& paint = colour ? ansi : plain;
  const std::string_view words[] = {"error: ", "warning: ", "remark: "};
  const std::string_view colours[] = {paint.red, paint.yellow, paint.green};
  const auto severity = static_cast<std::size_t>(one.severity);
  out << paint.bold;
  print_place(one.where, sources, out);
  out << paint.off << colours[severity] << words[severity] << paint.off << paint.bold
      << printable(one.message) << paint.off << '\n';
  if (one.where.line > 0 && one.where.file < sources.size())
    print_source(one.where, sources[one.where.file], out, paint);
  for (const Note& note : one.notes) {
    out << "    ";
    print_place(note.where, sources, out);
    out << printable(note.text) << '\n';
  }
  if (!one.help.empty()) out << "    " << paint.green << "help: " << paint.off << printable(one.help) << '\n';
}

void print(const Diagnostics& diagnostics, std::ostream& out, bool colour) {
  for (const Diagnostic& one : diagnostics) print(one, diagnostics.sources(), out, colour);
  if (diagnostics.omitted() > 0) out << "and " << diagnostics.omitted() << " more problems, not shown\n";
}

}  // namespace belfry::config
