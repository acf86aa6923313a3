#include "config/document/diagnostic.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <tuple>
#include <utility>

#include "config/document/confidential.hpp"

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
  while (start > 0 && start < line.size() && (static_cast<unsigned char>(line[start]) & 0xC0U) == 0x80U)
    --start;
  std::size_t end = std::min(line.size(), start + most);
  while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) ++end;
  return {line.substr(start, end - start), static_cast<std::uint32_t>(start), end < line.size()};
}

// Blank, but with the tabs of the line, so that both lines expand alike on every terminal.
std::string indent_like(std::string_view before) {
  std::string out;
  while (!before.empty()) {
    std::size_t const length = std::min(sequence_length(before), before.size());
    std::string_view const one = before.substr(0, length);
    out += one == "\t" ? "\t" : std::string(terminal_width(one), ' ');
    before.remove_prefix(length);
  }
  return out;
}

void print_source(Span where, Source const& source, std::ostream& out, Paint const& paint) {
  std::string const line = line_to_show(source, where.line);
  if (line.empty() || where.column == 0 || source.withheld()) return;
  std::uint32_t const length =
      where.length > 0 ? where.length : source.token_length(where.line, where.column);
  Window const shown = window_of(line, where.column);
  std::string_view const prefix = shown.skipped > 0 ? "…" : "";
  std::size_t const at = std::min<std::size_t>(where.column - 1 - shown.skipped, shown.text.size());
  std::string_view const token = shown.text.substr(at, length);
  std::uint32_t const tail = token.empty() ? 0 : terminal_width(token) - std::min(1U, terminal_width(token));
  out << "    " << prefix << printable(shown.text) << (shown.cut_right ? "…" : "") << "\n    "
      << (prefix.empty() ? "" : " ") << indent_like(shown.text.substr(0, at)) << paint.green << '^'
      << std::string(tail, '~') << paint.off << '\n';
}

void print_place(Span where, Diagnostics::Sources const& sources, std::ostream& out) {
  if (where.file >= sources.size()) return;
  Source const& source = sources[where.file];
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
  auto const key = [](Diagnostic const& d) {
    return std::tie(d.where.file, d.where.line, d.where.column, d.severity, d.message);
  };
  std::ranges::sort(all_, [&](auto const& a, auto const& b) { return key(a) < key(b); });
  auto const of = [this](Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(all_, severity, &Diagnostic::severity));
  };
  std::size_t const errors = of(Severity::error), warnings = of(Severity::warning);
  auto const repeated =
      std::ranges::unique(all_, [&](auto const& a, auto const& b) { return key(a) == key(b); });
  all_.erase(repeated.begin(), repeated.end());
  // Counted on both sides: what `unique` leaves behind the end says nothing of what it dropped.
  errors_ -= errors - of(Severity::error);
  warnings_ -= warnings - of(Severity::warning);
}

namespace {

// With a `source` only what is in it is a quotation; without, everything may be one.
std::string without_quotations(std::string_view text, std::optional<std::string_view> source = {}) {
  auto const is_plain = [](std::string_view word) {
    return word.size() <= 32 && std::ranges::all_of(word, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == ' ';
           });
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const open = std::min(text.find('`', at), text.size());
    std::size_t const close = std::min(text.find('`', std::min(open + 1, text.size())), text.size());
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    std::string_view const word = text.substr(open + 1, close - open - 1);
    bool const own = is_plain(word) || (source && !source->contains(word));
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

void Diagnostics::be_strict() {
  for (Diagnostic& one : all_)
    if (one.severity == Severity::warning) one.severity = Severity::error;
  errors_ += std::exchange(warnings_, 0);
}

void print(Diagnostic const& one, Diagnostics::Sources const& sources, std::ostream& out, bool colour) {
  Paint const& paint = colour ? ansi : plain;
  std::string_view const words[] = {"error: ", "warning: ", "remark: "};
  std::string_view const colours[] = {paint.red, paint.yellow, paint.green};
  auto const severity = static_cast<std::size_t>(one.severity);
  out << paint.bold;
  print_place(one.where, sources, out);
  out << paint.off << colours[severity] << words[severity] << paint.off << paint.bold
      << printable(one.message) << paint.off << '\n';
  if (one.where.line > 0 && one.where.file < sources.size())
    print_source(one.where, sources[one.where.file], out, paint);
  for (Note const& note : one.notes) {
    out << "    ";
    print_place(note.where, sources, out);
    out << printable(note.text) << '\n';
  }
  if (!one.help.empty()) out << "    " << paint.green << "help: " << paint.off << printable(one.help) << '\n';
}

void print(Diagnostics const& diagnostics, std::ostream& out, bool colour) {
  for (Diagnostic const& one : diagnostics) print(one, diagnostics.sources(), out, colour);
  if (diagnostics.omitted() > 0) out << "and " << diagnostics.omitted() << " more problems, not shown\n";
}

}  // namespace belfry::config
