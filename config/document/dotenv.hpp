// The syntax of env files, as compose reads them (the package dotenv of compose-go).
//
//   KEY=VALUE  export KEY=VALUE  KEY: VALUE    a variable; blanks around the separator do not count
//   KEY                                        the variable of belfry's own environment, if it is there
//   # …                                        a comment, as is ` #` behind a value
// A value without quotes is one line and keeps its backslashes. One in quotes may have several lines.
// Single quotes keep everything but `\'`; double quotes know \a \b \f \n \r \t \v \\ \" \$ and \0 with three
// octal digits, and keep every other backslash. What follows a closing quote without a blank belongs to
// the value, as in a shell; behind a blank it is refused. Nothing is dropped without a word.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry::config {

// A stretch of a value that was written in one way.
struct EnvText {
  std::string text;        // with its escapes replaced
  bool variables = true;   // false: in single quotes, where `$` is text
  bool escapes = false;    // it was in double quotes
  std::size_t offset = 0;  // of its first byte in the file, behind the quote
};

struct EnvLine {
  std::string_view name;
  std::size_t offset = 0;  // of the name
  bool inherited = false;  // no separator: the value is not in the file
  std::vector<EnvText> value;
};

// What is wrong at a place of the file. The message never repeats the text: it may be a secret.
struct EnvFault {
  std::size_t offset = 0;
  std::size_t length = 1;
  bool error = true;  // false: a warning, and the line is read
  std::string message;
  std::string help;
};

// Owner: the reader of one file, on its stack; the text outlives it.
// Lifecycle: one pass. After an error it goes on with the next line, and ends at a quote that is never
// closed: where that value should have ended is not known.
// Cancellation: none, it does not wait.
class EnvSyntax {
 public:
  // What a `$` is: the beginning of a variable, which `\$` is not and becomes `$$`; or a character like
  // others.
  enum class Dollars : bool { variables, text };
  explicit EnvSyntax(std::string_view text, Dollars dollars = Dollars::variables)
      : text_(text), dollars_(dollars) {}

  // The next variable; none at the end.
  [[nodiscard]] std::optional<EnvLine> next();
  // What was found since it was last asked.
  [[nodiscard]] std::vector<EnvFault> take_faults() { return std::exchange(faults_, {}); }
  // Where byte `offset` of `part.text` comes from.
  [[nodiscard]] std::size_t place_of(const EnvText& part, std::size_t offset) const;

 private:
  bool find_statement();
  void skip_export();
  bool read_name(EnvLine& line);
  bool check_name(const EnvLine& line);
  bool read_value(EnvLine& line);
  void read_bare_line(EnvLine& line, bool behind_blank);
  bool read_quoted_value(EnvLine& line);
  bool read_quotes(EnvLine& line);
  void read_bare_word(EnvLine& line);
  [[nodiscard]] std::size_t end_of_line() const;
  void skip_blanks();
  bool refuse(std::size_t offset, std::string message, std::string help);
  void warn(std::size_t offset, std::string message, std::string help);

  std::string_view text_;
  Dollars dollars_;
  std::size_t at_ = 0;
  std::vector<EnvFault> faults_;
};

}  // namespace belfry::config
