#include "config/document/dotenv.hpp"

#include <algorithm>
#include <utility>

#include "text/utf8.hpp"

namespace belfry::config {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_quote(char c) { return c == '\'' || c == '"'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool in_name(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || is_digit(c) || std::string_view("_.-[]").contains(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view without_end_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

struct Escape {
  std::string text;
  std::size_t length = 0;  // in the source, with its backslash
};

// `0` and three octal digits: a character up to U+00FF.
std::optional<Escape> octal(std::string_view behind) {
  if (behind.size() < 4 || behind.front() != '0') return std::nullopt;
  unsigned code = 0;
  for (const char c : behind.substr(1, 3)) {
    if (c < '0' || c > '7') return std::nullopt;
    code = code * 8 + static_cast<unsigned>(c - '0');
  }
  if (code > 0xFF) return std::nullopt;
  Escape escape{{}, 5};
  text::append_character(escape.text, code);
  return escape;
}

// The escape that begins at the backslash `rest` starts with. What is none is kept as it is written.
Escape escape_at(std::string_view rest, char quote, EnvSyntax::Dollars dollars) {
  if (rest.size() < 2) return {"\\", 1};
  const char next = rest[1];
  if (next == quote) return {{quote}, 2};
  Escape kept{std::string(rest.substr(0, 2)), 2};
  if (quote == '\'') return kept;
  constexpr std::string_view letters = "abfnrtv\\";
  constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\";
  if (const auto known = letters.find(next); known != std::string_view::npos) return {{meanings[known]}, 2};
  // One `$` once variables are replaced.
  if (next == '$') return {dollars == EnvSyntax::Dollars::text ? "$" : "$$", 2};
  return octal(rest.substr(1)).value_or(kept);
}

}  // namespace

std::optional<EnvLine> EnvSyntax::next() {
  while (find_statement()) {
    EnvLine line;
    if (read_name(line) && (line.inherited || read_value(line))) return line;
  }
  return std::nullopt;
}

std::size_t EnvSyntax::end_of_line() const { return std::min(text_.find('\n', at_), text_.size()); }

void EnvSyntax::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

bool EnvSyntax::refuse(std::size_t offset, std::string message, std::string help) {
  faults_.push_back({offset, 1, true, std::move(message), std::move(help)});
  at_ = std::max(at_, offset);
  at_ = end_of_line();
  return false;
}

void EnvSyntax::warn(std::size_t offset, std::string message, std::string help) {
  faults_.push_back({offset, 1, false, std::move(message), std::move(help)});
}

// Passes blank lines and comments over.
bool EnvSyntax::find_statement() {
  while (at_ < text_.size()) {
    if (text_[at_] == '#')
      at_ = end_of_line();
    else if (text_[at_] != '\n' && !is_blank(text_[at_]))
      return true;
    else
      ++at_;
  }
  return false;
}

void EnvSyntax::skip_export() {
  constexpr std::string_view word = "export";
  const std::string_view rest = text_.substr(at_);
  if (!rest.starts_with(word) || rest.size() == word.size() || !is_blank(rest[word.size()])) return;
  at_ += word.size();
  skip_blanks();
}

bool EnvSyntax::read_name(EnvLine& line) {
  skip_export();
  line.offset = at_;
  std::size_t end = at_;
  while (end < text_.size() && !std::string_view("=:\n").contains(text_[end])) {
    if (!in_name(text_[end]) && !is_blank(text_[end]))
      return refuse(end, "this character cannot stand in the name of a variable",
                    text_[end] == ';' ? "begin a comment with #: `;` begins none here"
                                      : "write KEY=VALUE, and a value of several lines in quotes");
    ++end;
  }
  line.name = without_end_blanks(text_.substr(at_, end - at_));
  line.inherited = end == text_.size() || text_[end] == '\n';
  at_ = end;
  if (!check_name(line)) return false;
  if (!line.inherited) ++at_;
  return true;
}

bool EnvSyntax::check_name(const EnvLine& line) {
  constexpr std::string_view form = "write KEY=VALUE, or begin a comment with #";
  if (line.name.empty()) return refuse(line.offset, "the name of a variable is missing", std::string(form));
  if (const auto blank = line.name.find_first_of(" \t\r"); blank != std::string_view::npos)
    return refuse(line.offset + blank, "the name of a variable cannot contain a blank", std::string(form));
  if (is_digit(line.name.front()))
    return refuse(line.offset, "the name of a variable cannot begin with a digit", std::string(form));
  return true;
}

bool EnvSyntax::read_value(EnvLine& line) {
  const std::size_t separator = at_;
  skip_blanks();
  if (at_ < text_.size() && is_quote(text_[at_])) return read_quoted_value(line);
  read_bare_line(line, at_ > separator);
  return true;
}

void EnvSyntax::read_bare_line(EnvLine& line, bool behind_blank) {
  const std::size_t end = end_of_line();
  const std::string_view whole = text_.substr(at_, end - at_);
  const std::string_view value = without_end_blanks(whole.substr(0, whole.find(" #")));
  if (behind_blank && value.starts_with('#'))
    warn(at_, "this is the value and no comment, as in compose",
         "write the comment on a line of its own, or KEY=\"\" before it");
  if (value.ends_with('\\'))
    warn(at_ + value.size() - 1, "this backslash is part of the value: lines do not continue here",
         "write one line, or put a value of several lines in quotes");
  if (!value.empty()) line.value.push_back({std::string(value), true, false, at_});
  at_ = end;
}

// Quotes and what is joined to them, up to the end of the line behind the last quote.
bool EnvSyntax::read_quoted_value(EnvLine& line) {
  bool behind_quote = false;
  while (at_ < text_.size() && text_[at_] != '\n') {
    const bool blank = is_blank(text_[at_]);
    skip_blanks();
    const char c = at_ < text_.size() ? text_[at_] : '\n';
    if (c == '\n') continue;
    if (c == '#' && (blank || behind_quote)) {
      at_ = end_of_line();
    } else if (blank) {
      return refuse(at_, "text follows the closing quote",
                    "put all of the value in the quotes, or begin a comment with #");
    } else if (is_quote(c)) {
      if (!read_quotes(line)) return false;
      behind_quote = true;
    } else {
      read_bare_word(line);
      behind_quote = false;
    }
  }
  return true;
}

bool EnvSyntax::read_quotes(EnvLine& line) {
  const std::size_t open = at_++;
  const char quote = text_[open];
  EnvText part{"", quote == '"', quote == '"', at_};
  while (at_ < text_.size() && text_[at_] != quote) {
    const Escape one =
        text_[at_] == '\\' ? escape_at(text_.substr(at_, 5), quote, dollars_) : Escape{{text_[at_]}, 1};
    part.text += one.text;
    at_ += one.length;
  }
  if (at_ >= text_.size()) {
    at_ = text_.size();
    return refuse(open, "this quote is never closed", "close it; the rest of the file was not read");
  }
  ++at_;
  if (const auto nul = part.text.find('\0'); nul != std::string::npos)
    return refuse(place_of(part, nul), "a variable cannot hold a NUL byte", "encode the value");
  line.value.push_back(std::move(part));
  return true;
}

void EnvSyntax::read_bare_word(EnvLine& line) {
  const std::size_t start = at_;
  while (at_ < text_.size() && text_[at_] != '\n' && !is_blank(text_[at_]) && !is_quote(text_[at_])) ++at_;
  line.value.push_back({std::string(text_.substr(start, at_ - start)), true, false, start});
}

std::size_t EnvSyntax::place_of(const EnvText& part, std::size_t offset) const {
  if (!part.escapes && part.variables) return part.offset + offset;
  const char quote = part.variables ? '"' : '\'';
  std::size_t place = part.offset;
  for (std::size_t read = 0; read < offset && place < text_.size();) {
    const Escape one =
        text_[place] == '\\' ? escape_at(text_.substr(place, 5), quote, dollars_) : Escape{{text_[place]}, 1};
    read += one.text.size();
    place += one.length;
  }
  return place;
}

}  // namespace belfry::config
