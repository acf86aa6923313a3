// Completion for bash.
#include "cli/completion.hpp"

namespace belfry::cli {
namespace {

// What sets the list of words, or hands over to readline's own files.
std::string offer(Wanted wanted, const std::string& words) {
  switch (wanted) {
    case Wanted::words: return "words='" + words + "'";
    case Wanted::files: return "compopt -o default; return";
    case Wanted::services: return "words=$(" + std::string(list_services) + ")";
    case Wanted::file_services: return "words=$(" + std::string(list_file_services) + ")";
    case Wanted::nothing: break;
  }
  return "return";
}

std::string values(const std::vector<Completed>& commands) {
  std::string out;
  for (const Completed& command : commands)
    for (const Completed::Value& value : command.values)
      out +=
          "    '" + command.command + " " + value.option + "') " + offer(value.wanted, value.words) + " ;;\n";
  return out;
}

std::string arguments(const std::vector<Completed>& commands) {
  std::string out;
  for (const Completed& command : commands) {
    out += "    " + command.command + ")\n      case $word in -*) words='" + command.options + "' ;; *)\n";
    if (command.first != command.rest)
      out += "        if [ \"$COMP_CWORD\" -eq 2 ]; then " + offer(command.first, command.first_words) +
             "; else " + offer(command.rest, "") + "; fi\n";
    else
      out += "        " + offer(command.rest, "") + "\n";
    out += "      esac ;;\n";
  }
  return out;
}

// `--format=json` is three words to bash. The command behind `--` has its own completion where the
// package bash-completion is loaded, else its name is completed, and files behind it.
constexpr std::string_view head = R"sh(# belfry completion for bash: source <(belfry completion bash)
_belfry_command() {
  if declare -F _command_offset >/dev/null; then _command_offset "$1"; return; fi
  compopt -o default
  [ "$COMP_CWORD" -eq "$1" ] && COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
}
_belfry() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words= i
  COMPREPLY=()
  for ((i = 2; i < COMP_CWORD; i++)); do
    if [ "${COMP_WORDS[i]}" = -- ]; then
      [[ ${COMP_WORDS[1]} = @(run|exec|wait) ]] && _belfry_command "$((i + 1))"
      return
    fi
  done
  if [ "$word" = = ]; then word=
  elif [ "$previous" = = ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
)sh";

}  // namespace

std::string bash_completion() {
  const std::vector<Completed> commands = completed_commands();
  std::string names;
  for (const Completed& command : commands) (names += names.empty() ? "" : " ") += command.command;
  return std::string(head) +
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    case $word in -*) words='--help --version' ;; *) words='" +
         names +
         "' ;; esac\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"${COMP_WORDS[1]} $previous\" in\n" +
         values(commands) + "    *) case ${COMP_WORDS[1]} in\n" + arguments(commands) +
         "    esac ;;\n"
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -F _belfry belfry\n";
}

}  // namespace belfry::cli
