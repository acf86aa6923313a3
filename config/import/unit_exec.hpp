// The lines of `ExecStart=` and its like.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/import/command_text.hpp"
#include "config/import/unit.hpp"

namespace belfry::config {

struct ExecLine {
  OneCommand command;
  std::string prefixes;              // what stands before the path: `-`, `@`, `+`, `!`, `:`
  bool has_name_of_its_own = false;  // `@`: the word behind the path was argv[0], and is left out
  bool names_main_process = false;   // $MAINPID
  bool unclosed = false;
  std::string signal;  // where all it does is `kill -SIGNAL $MAINPID`
  const UnitSetting* at = nullptr;
};

// The commands of all those lines; `;` as a word of its own separates two. Lines without a command are left
// out.
[[nodiscard]] std::vector<ExecLine> exec_lines(const Unit& unit, Specifiers& specifiers,
                                               const std::vector<const UnitSetting*>& lines);
// The words of `text` with their variables and specifiers, without what stands before a path.
[[nodiscard]] std::vector<CommandWord> exec_words(const Unit& unit, Specifiers& specifiers,
                                                  const UnitSetting& at,
                                                  const std::vector<std::string>& words, bool variables);

}  // namespace belfry::config
