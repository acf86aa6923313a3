// A command line split into words as a POSIX shell splits it, without being a shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

struct Words {
  std::vector<std::string> words;
  // The offset of an opening quote, or of a final backslash, that nothing follows: an error.
  std::optional<std::size_t> unclosed;
  // The first thing outside quotes that a shell would have acted on: a warning.
  std::optional<std::size_t> shell_syntax;
  std::string shell_token;  // that thing, such as `|` or `&&`
};

// Blanks and line breaks separate words. Single quotes keep everything; double quotes keep everything
// but backslash before `"`, `\`, `$`, backquote and line break; a backslash outside quotes keeps the
// next character (POSIX.1-2017, Shell Command Language, 2.2).
[[nodiscard]] Words split_words(std::string_view line);

// `words` as one line that split_words splits back into them.
[[nodiscard]] std::string join_words(const std::vector<std::string>& words);

}  // namespace belfry::config
