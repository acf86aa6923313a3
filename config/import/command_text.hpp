// Commands of other tools, word by word, as belfry writes them: a list where that is enough, a line for a
// shell where only a shell can do the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::config {

// A part of a word. `text` and `filled` have their `$` doubled for belfry; `filled` may have `${…}` of
// belfry, `variable` is the name of one that the service's own environment has.
struct WordPart {
  enum class Kind : std::uint8_t { filled, variable, split_variable } kind = Kind::filled;
  std::string text;
};
using CommandWord = std::vector<WordPart>;

struct OneCommand {
  std::vector<CommandWord> words;
  bool ignores_failure = false;
};

// Whether a shell is needed.
[[nodiscard]] bool needs_shell(const OneCommand& command);
// All of them, one after the other until one fails, as the YAML of a command. `stays`: what runs last takes
// the place of the shell, because it is the process of the service.
[[nodiscard]] std::string commands_text(std::span<const OneCommand> commands, bool stays);

}  // namespace belfry::config
