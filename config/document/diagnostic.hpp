// What is wrong with a file, where, and what to do about it.
//
// Errors of a file are values that are collected, never thrown: a reader goes on behind each of
// them, so that one run of `belfry check` shows all of them.
#pragma once

#include <deque>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/document/source.hpp"
#include "config/model/model.hpp"
#include "text/escape.hpp"

namespace belfry::config {

// A remark is worth knowing and nothing to mend: it is no problem, and never counts as one.
enum class Severity : std::uint8_t { error, warning, remark };

// A token: a place and how many bytes of its line it covers.
struct Span {
  std::uint32_t file = 0;
  std::uint32_t line = 0;    // 0: the file as a whole
  std::uint32_t column = 0;  // in bytes, from 1
  std::uint32_t length = 1;  // in bytes

  Span() = default;
  Span(std::uint32_t file_, std::uint32_t line_, std::uint32_t column_, std::uint32_t length_ = 1)
      : file(file_), line(line_), column(column_), length(length_) {}
  explicit Span(Place place) : file(place.file), line(place.line), column(place.column), length(0) {}

  [[nodiscard]] Place place() const { return {file, line, column}; }
};

// A second place that the message speaks of, such as an edge of a cycle.
struct Note {
  Span where;
  std::string text;
};

struct Diagnostic {
  Severity severity = Severity::error;
  std::string_view rule;  // stable name of the kind of mistake, for tools: `unknown-key`; a literal
  Span where;
  std::string message;
  std::string help;  // what to do; may be empty
  std::vector<Note> notes;
};

// Everything that was found, and the texts it was found in.
class Diagnostics {
 public:
  using Sources = std::deque<Source>;  // one more does not move the others, whose texts are being read

  Diagnostics() : sources_(std::make_shared<Sources>()) {}

  // Beyond this many, problems are counted and no longer kept: a huge file that is wrong everywhere
  // must not become a huge report.
  static constexpr std::size_t most = 1000;

  void add(Diagnostic one);
  void error(std::string_view rule, Span where, std::string message, std::string help = {}) {
    add({Severity::error, rule, where, std::move(message), std::move(help), {}});
  }
  void warning(std::string_view rule, Span where, std::string message, std::string help = {}) {
    add({Severity::warning, rule, where, std::move(message), std::move(help), {}});
  }

  void remark(std::string_view rule, Span where, std::string message, std::string help = {}) {
    add({Severity::remark, rule, where, std::move(message), std::move(help), {}});
  }

  // Every warning is an error from now on (`check --strict`). Remarks stay what they are.
  void be_strict();

  // Takes out of all messages what they quote from this file, except plain words.
  void stop_quoting(std::uint32_t file);

  // Sorts by place and drops repetitions (an anchor that is used twice is read twice).
  void finish();

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t warnings() const { return warnings_; }
  [[nodiscard]] std::size_t omitted() const { return omitted_; }
  // Whether further problems are only counted: no use in finding words for them.
  [[nodiscard]] bool full() const { return all_.size() >= most; }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] auto begin() const { return all_.begin(); }
  [[nodiscard]] auto end() const { return all_.end(); }
  [[nodiscard]] const Diagnostic& operator[](std::size_t index) const { return all_[index]; }

  // The texts, by Place::file. Shared, because the reader of the texts and the printer both need them.
  [[nodiscard]] Sources& sources() { return *sources_; }
  [[nodiscard]] const Sources& sources() const { return *sources_; }

 private:
  std::shared_ptr<Sources> sources_;
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t omitted_ = 0;
};

// `file:line:col: error: what`, the source line, a caret under the token, a help line; columns are
// counted in characters. `colour` adds ANSI sequences. Control characters never reach `out`.
void print(const Diagnostics& diagnostics, std::ostream& out, bool colour = false);
void print(const Diagnostic& one, const Diagnostics::Sources& sources, std::ostream& out,
           bool colour = false);

// What of `text` a terminal would obey, replaced (text/escape.hpp).
[[nodiscard]] inline std::string printable(std::string_view text) { return text::visible(text); }

}  // namespace belfry::config
