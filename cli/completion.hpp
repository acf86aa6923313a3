// What the completion of every shell knows of a command, made from the options themselves so that it cannot
// lag behind them. Options are offered only behind a `-`: a shell would insert the dash that all of them
// begin with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace belfry::cli {

// What stands where a word is wanted.
enum class Wanted {
  nothing,  // nobody can guess it, such as a time
  words,    // one of a list
  files,
  services,       // of the daemon that a plain `belfry status` would ask
  file_services,  // of the file that a plain `belfry run` would take
};

struct Completed {
  struct Value {
    std::string option;  // "-c"
    Wanted wanted = Wanted::nothing;
    std::string words;  // separated by blanks
  };
  std::string command, description;
  std::string options;  // separated by blanks
  std::vector<Value> values;
  Wanted first = Wanted::nothing;  // argument
  std::string first_words;
  Wanted rest = Wanted::nothing;  // the arguments behind it
};

[[nodiscard]] std::vector<Completed> completed_commands();

// Print one name a line. They are the same in every shell, and have no `'` but those around their scripts.
inline constexpr std::string_view list_services =
    "belfry status 2>/dev/null | awk 'table && NF == 0 {exit} table {print $1} $1 == \"NAME\" {table = 1}'";
inline constexpr std::string_view list_file_services =
    "belfry graph --format json 2>/dev/null | sed -n 's/^  {\"name\": \"\\([^\"]*\\)\".*/\\1/p'";

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

// `text` within single quotes of a shell; zsh and bash end the quotes for a `'`, fish has `\'`.
[[nodiscard]] std::string quoted(std::string_view text, std::string_view quote);

}  // namespace belfry::cli
