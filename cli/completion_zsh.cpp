// Completion for zsh.
#include "cli/completion.hpp"

namespace belfry::cli {
namespace {

std::string offer(Wanted wanted, const std::string& words) {
  switch (wanted) {
    case Wanted::words: return "compadd -- " + words;
    case Wanted::files: return "_files";
    case Wanted::services: return "compadd -- ${(f)\"$(" + std::string(list_services) + ")\"}";
    case Wanted::file_services: return "compadd -- ${(f)\"$(" + std::string(list_file_services) + ")\"}";
    case Wanted::nothing: break;
  }
  return "_message 'a value'";
}

std::string values(const std::vector<Completed>& commands) {
  std::string out;
  for (const Completed& command : commands)
    for (const Completed::Value& value : command.values)
      out += "    '" + command.command + " " + value.option + "') " + offer(value.wanted, value.words) +
             "; return ;;\n";
  return out;
}

std::string options(const std::vector<Completed>& commands) {
  std::string out;
  for (const Completed& command : commands)
    out += "      " + command.command + ") compadd -- " + command.options + " ;;\n";
  return out;
}

std::string arguments(const std::vector<Completed>& commands) {
  std::string out;
  for (const Completed& command : commands) {
    if (command.first == Wanted::nothing) continue;
    const bool topics = command.command == "help";
    const std::string first = topics ? "_describe command topics" : offer(command.first, command.first_words);
    out += "    " + command.command + ") ";
    if (command.rest == command.first)
      out += first;
    else
      out += "if (( CURRENT == 3 )); then " + first + "; else " + offer(command.rest, "") + "; fi";
    out += " ;;\n";
  }
  return out;
}

}  // namespace

std::string zsh_completion() {
  const std::vector<Completed> commands = completed_commands();
  std::string described;
  for (const Completed& command : commands)
    described += "    " + quoted(command.command + ":" + command.description, "'\\''") + "\n";
  // Works both from $fpath and when it is sourced. No local is called `commands`: zsh's own list of that name
  // is what completes behind `--`.
  return "#compdef belfry\n_belfry() {\n  local -a topics\n  topics=(\n" + described +
         "  )\n"
         "  local behind=${words[(i)--]} previous=$words[CURRENT-1]\n"
         "  if (( behind < CURRENT )); then\n"
         "    [[ $words[2] == (run|exec|wait) ]] || return 1\n"
         "    shift $behind words; (( CURRENT -= behind )); _normal; return\n"
         "  fi\n"
         "  if (( CURRENT == 2 )); then\n"
         "    if [[ $words[2] == -* ]]; then compadd -- --help --version; else _describe command topics; "
         "fi\n"
         "    return\n"
         "  fi\n"
         "  if [[ $words[CURRENT] == --*=* ]]; then previous=${words[CURRENT]%%=*}; compset -P '*='; fi\n"
         "  case \"$words[2] $previous\" in\n" +
         values(commands) +
         "  esac\n"
         "  if [[ $words[CURRENT] == -* ]]; then\n"
         "    case $words[2] in\n" +
         options(commands) +
         "    esac\n"
         "    return\n"
         "  fi\n"
         "  case $words[2] in\n" +
         arguments(commands) +
         "  esac\n}\n"
         "if [ \"$funcstack[1]\" = _belfry ]; then _belfry \"$@\"; else compdef _belfry belfry; fi\n";
}

}  // namespace belfry::cli
